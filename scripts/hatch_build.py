"""Lets the package build put the operator console into the wheel."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleBuildHook(BuildHookInterface[Any]):  # type: ignore[misc]  # hatchling is there at the build only
    """Builds the console before a wheel is made; an editable installation builds it with `make setup`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console."""
        del build_data
        if self.target_name != "wheel" or version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "scripts"))
        try:
            from build_console import build

            build()
        finally:
            sys.path.pop(0)
