"""csrc/capi/stemzoo.h: every function has an example, and the examples compile as C99."""

import re
import subprocess

import client_library
import pytest

HEADER = (client_library.HEADER / "stemzoo.h").read_text()
COMMENT = r"/\*(?:(?!\*/).)*\*/"
FUNCTIONS = re.findall(
    rf"({COMMENT})?\s*STEMZOO_API [^;]*?(stemzoo_\w+)\([^;]*;", HEADER, re.DOTALL
)
EXAMPLES = {
    name: re.sub(r"^ \* ?", "", body, flags=re.MULTILINE)
    for comment, name in FUNCTIONS
    for body in re.findall(r"@code\n(.*?) \* @endcode", comment, re.DOTALL)
}
# What the examples speak of and do not declare.
PROGRAM = """
#include <math.h>
#include <stdio.h>
#include "stemzoo.h"
enum {{ resource_size = 4 }};
static int next_frame(stemzoo_image* frame) {{ return frame == NULL; }}
static void shift_beam(double dy, double dx) {{ printf("%f %f", dy, dx); }}
static int stop_when_the_user_asks(void* user, size_t done, size_t total) {{
    return user == NULL && done < total;
}}
int example(stemzoo_image frame, {arguments});
int example(stemzoo_image frame, {arguments}) {{
    (void)next_frame, (void)shift_beam, (void)stop_when_the_user_asks;
    {{
{body}    }}
    return 0;
}}
"""
KNOWN = {
    "model": "stemzoo_model* model",
    "ncc": "stemzoo_ncc* ncc",
    "estimator": "stemzoo_estimator* estimator",
    "tracker": "stemzoo_tracker* tracker",
    "reference": "stemzoo_image reference",
    "moving": "stemzoo_image moving",
    "first_frame": "stemzoo_image first_frame",
    "drift": "stemzoo_drift drift",
    "restorer": "stemzoo_model* restorer",
    "image": "float* image",
    "pilot": "float* pilot",
    "straight": "float* straight",
    "clean": "float* clean",
    "rows": "stemzoo_row* rows",
    "resource": "const void* resource",
    "numbers": "double dy, double dx, double sigma_y, double sigma_x",
}


def test_every_function_has_an_example():
    assert len(FUNCTIONS) > 20
    assert [name for _, name in FUNCTIONS if name not in EXAMPLES] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_compiles(name, tmp_path):
    body = EXAMPLES[name]
    arguments = ", ".join(KNOWN.values())
    # Of run_f32 and last_error, the frame is its pixels.
    if "model_run_f32(model, frame," in body:
        body = body.replace("frame,", "(const float*)frame.pixels,")
    source = tmp_path / "example.c"
    source.write_text(PROGRAM.format(arguments=arguments, body=body))
    include = f"-I{client_library.HEADER}"
    command = [client_library.COMPILER, "-std=c99", "-Wall", "-Werror", "-fsyntax-only", include]
    done = subprocess.run([*command, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
