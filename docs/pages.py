"""What `make docs` adds to the pages in this folder: the models' cards, benchmarks and changes.

They stand elsewhere in the repository, where their own readers look for them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]


def elsewhere() -> dict[str, Path]:
    """Files outside this folder, by their page."""
    cards = sorted((ROOT / "zoo").glob("*/README.md"))
    tables = sorted((ROOT / "benchmarks").glob("*.md"))
    return {
        **{f"models/{card.parent.name}.md": card for card in cards},
        **{f"benchmarks/{table.name}": table for table in tables},
        "contributing.md": ROOT / "CONTRIBUTING.md",
        "changes.md": ROOT / "CHANGELOG.md",
    }


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    for page, path in elsewhere().items():
        files.append(File.generated(config, page, abs_src_path=str(path)))
    return files


def on_config(config: MkDocsConfig, **_: Any) -> MkDocsConfig:
    """The added pages end the navigation."""
    assert config.nav is not None
    pages = elsewhere()
    found = {
        title: [page for page in pages if page.startswith(f"{folder}/")]
        for title, folder in (("Models", "models"), ("Benchmarks", "benchmarks"))
    }
    config.nav += [{title: pages} for title, pages in found.items() if pages]
    config.nav += [{"Contributing": "contributing.md"}, {"Changes": "changes.md"}]
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files outside this folder lead to their pages."""
    here = Path(page.file.src_uri).parent
    source = elsewhere().get(page.file.src_uri, ROOT / "docs" / page.file.src_uri)
    targets = {path.resolve(): name for name, path in elsewhere().items()}

    def moved(link: re.Match[str]) -> str:
        target = (source.parent / link[1]).resolve()
        if target in targets:
            found = targets[target]
        elif target.is_relative_to(ROOT / "docs"):
            found = target.relative_to(ROOT / "docs").as_posix()
        else:
            return link[0]
        return f"]({'../' * len(here.parts)}{found}{link[2] or ''})"

    return re.sub(r"\]\(([^)#:]+)(#[^)]*)?\)", moved, markdown)
