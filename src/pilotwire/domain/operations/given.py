"""What every command is made of."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

__all__ = ["Count", "Given", "Location", "Moment", "Number", "Pem", "Seconds", "Text", "Uid"]

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Seconds = Annotated[int, Meta(ge=1, le=10 * 366 * 86400)]
Moment = Annotated[datetime, Meta(tz=True)]
Uid = Annotated[str, Meta(min_length=1, max_length=255)]
Text = Annotated[str, Meta(min_length=1, max_length=255)]
Location = Annotated[str, Meta(min_length=8, max_length=2000, description="An absolute address.")]
Pem = Annotated[str, Meta(min_length=1, max_length=10000, description="PEM text.")]


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """A command with its parameters."""

    REPEATABLE: ClassVar[bool] = False
    FOLLOW_S: ClassVar[int] = 0
    """How long the outcome is waited for after the station has accepted; 0: its answer is the outcome."""
    TOLD_LATER: ClassVar[bool] = False
    """Whether later messages tell that it has arrived, also when its answer was lost."""

    @property
    def name(self) -> str:
        """The command's name."""
        return str(self.__struct_config__.tag)

    @property
    def follow_s(self) -> int:
        """How long this command's end is waited for after its answer."""
        return self.FOLLOW_S

    def follow_until(self, now: datetime) -> datetime:
        """Until when this command's end is waited for, when it is answered now."""
        return now + timedelta(seconds=self.follow_s)
