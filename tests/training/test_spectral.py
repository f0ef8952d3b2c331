import numpy as np
import pytest
import torch

from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from training.networks.half_spectra import (
    in_four_orientations,
    in_one_orientation,
    mirrored,
    transposed,
)
from training.networks.spectral import NoiseSpectrum, Spectral, Transforms
from training.networks.spectral_unet import SpectralUNet


def pictures(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (2, 1, 128, 192)])
def test_windows_of_an_image_fold_back_to_it(shape):
    image, transforms = pictures(shape), Transforms(128)
    windows = transforms.windows(image)
    taper = transforms.taper**2
    weight = transforms.fold(taper + 0 * windows)
    torch.testing.assert_close(transforms.fold(windows * taper) / weight, image)


def test_the_transforms_are_inverse():
    transforms = Transforms(64)
    windows = pictures((1, 2, 2, 64, 64))
    real, imaginary = transforms.forward_transform(windows)
    torch.testing.assert_close(transforms.inverse_transform(real, imaginary), windows)


def test_matrix_products_are_the_transforms(monkeypatch):
    transforms = Transforms(64)
    windows = pictures((1, 1, 2, 64, 64))
    fast = transforms.forward_transform(windows)
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    for exported, expected in zip(transforms.forward_transform(windows), fast, strict=True):
        torch.testing.assert_close(exported, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(transforms.inverse_transform(*fast), windows, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_untrained_layer_already_averages_over_a_crystal():
    truth = perovskite((256, 256), 5).image((256, 256))
    counts = expose(truth, 20, np.random.default_rng(5))
    truth *= 20 / truth.max()
    mean, std = counts.mean(), counts.std()
    estimate, noise, _ = Spectral()(torch.tensor((counts - mean) / std)[None, None].float())
    clean = estimate[0, 0].double().numpy() * std + mean
    assert psnr(clean, truth) > psnr(counts, truth) + 8
    told = float(noise.mean()) * std
    assert 0.7 < told / np.sqrt(truth.mean()) < 1.3


@torch.no_grad()
def test_the_layer_follows_gain_and_offset():
    image, layer = pictures((1, 1, 128, 128)), Spectral()
    estimate, noise, _ = layer(image)
    again, more, _ = layer(3 * image + 5)
    torch.testing.assert_close(again, 3 * estimate + 5, rtol=1e-3, atol=3e-3)
    torch.testing.assert_close(more, 3 * noise, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_a_tile_on_the_grid_agrees_with_the_whole_image_where_the_noise_is_the_same():
    layer = Transforms(128)
    image = pictures((1, 1, 512, 256))
    whole, tile = layer.windows(image), layer.windows(image[:, :, 64:448])
    torch.testing.assert_close(tile[:, 1:-1], whole[:, 2:-2])


def test_the_network_promises_its_grid():
    network = SpectralUNet((8, 8, 8), (1, 1), (1,), 2, 64)
    assert network.promises["multiple"] == 32
    assert network.promises["halo"] % 32 == 0


def log_power(image):
    return torch.fft.rfft2(image).abs().square().log()


def test_spectra_in_four_orientations_are_those_of_the_turned_pictures():
    image = pictures((2, 3, 128, 128))
    turned = in_four_orientations(log_power(image))
    others = (image, image.flip(-1), image.mT, image.flip(-1).mT)
    expected = torch.cat([log_power(other) for other in others])
    torch.testing.assert_close(turned, expected, rtol=0, atol=0.02)
    torch.testing.assert_close(in_one_orientation(turned), log_power(image), rtol=0, atol=0.02)


def test_a_symmetric_estimate_of_the_noise_turns_with_the_picture():
    random = torch.Generator().manual_seed(6)
    layer = NoiseSpectrum(128, symmetric=True)
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.1, generator=random)
    windows = log_power(pictures((1, 3, 3, 128, 128)))
    noise = layer(windows)
    for turned in (mirrored, transposed):
        # Without the frequencies that half a spectrum holds twice.
        found, expected = (
            half[..., 1:64, 1:64] for half in (layer(turned(windows)), turned(noise))
        )
        torch.testing.assert_close(found, expected, rtol=0, atol=0.01)
