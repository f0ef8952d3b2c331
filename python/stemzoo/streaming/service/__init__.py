"""The frame service: models and trackers for programs in any language (docs/serve.md)."""
