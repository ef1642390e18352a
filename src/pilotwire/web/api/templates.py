"""Configuration templates: what stations should be set to."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator

from pilotwire.domain.configuration.compare import setting_of
from pilotwire.domain.configuration.usecases import manage_templates as templates
from pilotwire.web.api.configuration import Attribute, SettingName
from pilotwire.web.api.fields import Given, Line, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["configuration"])

Instance = Annotated[str, Field(min_length=1, max_length=50)]


class Setting(Given):
    """A setting and its value, named by `name`, by a 1.6 `key`, or by a component and its variable."""

    name: SettingName | None = None
    key: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    component: Instance | None = None
    component_instance: Instance | None = None
    variable: Instance | None = None
    variable_instance: Instance | None = None
    evse_id: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    connector_id: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    attribute: Attribute = "actual"
    value: Annotated[str, Field(max_length=2500)]

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.key and not self.name and not (self.component and self.variable):
            raise ValueError("give a name, a key, or a component and a variable")
        texts = (self.name, self.key, self.component, self.component_instance, self.variable, self.value)
        if any(text is not None and "\0" in text for text in (*texts, self.variable_instance)):
            raise ValueError("no NUL characters")
        return self


class TemplateChanges(Given):
    """What is to be changed of a template; `entries` replace all those of before."""

    entries: list[Setting] | None = Field(
        None, max_length=500, examples=[[{"key": "HeartbeatInterval", "value": "300"}]]
    )
    name: Line | None = None


class NewTemplate(Given):
    """A configuration template to be added. What is left empty fits every station; `*` stands for any characters."""

    vendor: Line = ""
    model: Line = Field("", examples=["Terra AC*"])
    firmware_version: Line = Field("", examples=["1.8.*"])
    site_id: UUID | None = Field(None, description="Only for stations of this site; wins over those for all.")
    station_id: str | None = Field(None, max_length=200, description="Only for this station; wins over all.")
    name: Line = ""
    entries: list[Setting] = Field(max_length=500, examples=[[{"key": "HeartbeatInterval", "value": "300"}]])


class Template(Shown):
    """What stations are to be set to: of a make, at a site, or one by name. The most specific template wins."""

    id: UUID
    name: str
    scope: Literal["tenant", "site", "station"]
    vendor: str
    model: str
    firmware_version: str
    site_id: UUID | None
    station_id: str | None
    entries: list[Setting]
    changed_at: datetime


@router.post("/configuration-templates", status_code=201)
async def create_template(asking: Asking, services: Services, body: NewTemplate) -> Template:
    """Add a configuration template; stations that differ from it are found to drift."""
    draft = templates.TemplateDraft(
        body.vendor,
        body.model,
        body.firmware_version,
        body.site_id,
        body.station_id,
        body.name,
        _entries(body.entries),
    )
    return _show_template(await templates.create_template(services.db, services.bus, asking, draft))


@router.get("/configuration-templates")
async def list_templates(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Template]:
    """List configuration templates, oldest first."""
    rows = await templates.list_templates(services.db, asking, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, _show_template, lambda row: (row.id,))


@router.get("/configuration-templates/{template_id}")
async def get_template(asking: Asking, services: Services, template_id: UUID) -> Template:
    """Get a configuration template."""
    return _show_template(await templates.get_template(services.db, asking, template_id))


@router.patch("/configuration-templates/{template_id}")
async def change_template(
    asking: Asking, services: Services, template_id: UUID, body: TemplateChanges
) -> Template:
    """Replace the settings or the name of a template."""
    entries = None if body.entries is None else _entries(body.entries)
    return _show_template(
        await templates.change_template(
            services.db, services.bus, asking, template_id, entries=entries, name=body.name
        )
    )


@router.delete("/configuration-templates/{template_id}", status_code=204)
async def remove_template(asking: Asking, services: Services, template_id: UUID) -> None:
    """Remove a template; stations keep what they are set to."""
    await templates.remove_template(services.db, services.bus, asking, template_id)


def _entries(settings: list[Setting]) -> list[dict[str, Any]]:
    return [setting.model_dump(exclude_none=True, exclude_defaults=True) for setting in settings]


def _show_template(row: Any) -> Template:
    values = {
        name: getattr(row, name)
        for name in (
            "id",
            "name",
            "vendor",
            "model",
            "firmware_version",
            "site_id",
            "station_id",
            "changed_at",
        )
    }
    scope: Any = "station" if row.station_id is not None else "tenant" if row.site_id is None else "site"
    # Whatever a setting was named by, its standard name is shown too.
    entries = [Setting(**{**entry, "name": setting_of(entry).variable.name}) for entry in row.entries]
    return Template(**values, scope=scope, entries=entries)
