"""Settings that are written into a manifest and read back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from dedup.config import Config
from dedup.errors import ConfigError


def written(config: Config) -> Any:
    return json.loads(json.dumps(config.to_dict()))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.9, "granularity": "paragraph", "max_memory": "2GB", "threads": 3},
        {"templates": False},
        {"packs": ["news", "mine.toml"], "text_field": "body", "on_error": "skip"},
    ],
    ids=["defaults", "numbers and choices", "no templates", "lists and names"],
)
def test_settings_come_back_as_they_were(options: dict[str, Any]) -> None:
    config = Config.from_options(**options)
    assert Config.from_dict(written(config)) == config


@pytest.mark.parametrize("path", ["granularity", "max_memory", "source", "match.threshold"])
def test_a_setting_that_is_missing_is_named(path: str) -> None:
    values = written(Config())
    *parents, name = path.split(".")
    holder = values
    for parent in parents:
        holder = holder[parent]
    del holder[name]
    with pytest.raises(ConfigError, match=f"has no {name}"):
        Config.from_dict(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [("granularity", "page"), ("threads", "two"), ("match", 5), ("source", {"on_error": 1})],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: Any) -> None:
    values = written(Config())
    values[name] = value if not isinstance(value, dict) else {**values[name], **value}
    with pytest.raises(ConfigError, match=name if not isinstance(value, dict) else "on_error"):
        Config.from_dict(values)


def test_settings_of_a_later_version_are_ignored() -> None:
    values = copy.deepcopy(written(Config()))
    values["colour"] = "blue"
    values["match"]["depth"] = 3
    assert Config.from_dict(values) == Config()
