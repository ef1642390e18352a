"""One step after the other: how a station is brought to a safer security profile.

Spec: OCPP 1.6 security whitepaper A05 (the key SecurityProfile); 2.0.1 A05, B09, B10 (network profiles).
"""

from datetime import timedelta
from typing import Any

import asyncpg

from pilotwire.core.errors import PilotwireError
from pilotwire.domain.certificates import repository as rows
from pilotwire.domain.certificates.events import UpgradeChanged
from pilotwire.domain.certificates.model import UpgradeStep as Step
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.operations.commands import (
    Command,
    GetVariables,
    InstallCertificate,
    Reset,
    SetConfiguration,
    SetNetworkProfile,
    SetVariables,
    Trigger,
    Variable,
    VariableValue,
)
from pilotwire.domain.operations.model import FINAL, CommandState
from pilotwire.domain.operations.repository import Outcome, outcome_of
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_command
from pilotwire.domain.stations.usecases.change_station import raise_security_profile

__all__ = ["next_move"]

_PATIENCE = {
    Step.CERTIFICATE: (timedelta(hours=1), "the station has not asked for a certificate, or has not got it"),
    Step.RETURN: (
        timedelta(hours=2),
        "the station has not come back with the new profile; the old one still holds",
    ),
}
_COMMAND_S = 86_400
_PRIORITY = ("OCPPCommCtrlr", "NetworkConfigurationPriority")


async def next_move(means: Means, upgrade: asyncpg.Record, root_pem: str) -> None:
    """Take the next step of a station's move, if it can be taken now.

    `root_pem` is the root that the station must know to trust this server, empty when it knows it anyway.
    """
    step = Step(upgrade["step"])
    if upgrade["connected"] and upgrade["security_profile"] >= upgrade["profile"]:
        await _arrived(means, upgrade)
        return
    if step in _PATIENCE:
        patience, why = _PATIENCE[step]
        if means.clock() - upgrade["step_at"] > patience:
            await _go(means, upgrade, Step.FAILED, why)
            return
    if step is Step.RETURN:
        return
    if step is Step.CERTIFICATE and upgrade["has_certificate"]:
        await _go(means, upgrade, _switching(upgrade))
        return
    if step is Step.ROOT and not root_pem:
        await _go(means, upgrade, _after_root(upgrade))
        return
    if upgrade["task_id"] is None:
        await _give(means, upgrade, step, root_pem)
        return
    async with means.db.service.acquire() as connection:
        outcome = await outcome_of(connection, upgrade["task_id"])
    if outcome is None or outcome.state not in FINAL:
        return
    if outcome.state != CommandState.DONE:
        said = f"{outcome.outcome} {outcome.detail}".strip()
        await _go(means, upgrade, Step.FAILED, f"at the step '{step}': {said}")
        return
    await _done(means, upgrade, step, outcome)


async def _done(means: Means, upgrade: asyncpg.Record, step: Step, outcome: Outcome) -> None:
    match step:
        case Step.ROOT:
            await _go(means, upgrade, _after_root(upgrade))
        case Step.PRIORITY:
            await _go(means, upgrade, Step.SWITCH, _priority_of(outcome))
        case Step.SWITCH if upgrade["ocpp_version"] == "1.6":
            restart = outcome.outcome == "reboot_required"
            await _go(means, upgrade, Step.RESTART if restart else Step.RETURN)
        case Step.SWITCH:
            await _go(means, upgrade, Step.PREFER, upgrade["detail"])
        case Step.PREFER:
            await _go(means, upgrade, Step.RESTART)
        case Step.RESTART:
            await _go(means, upgrade, Step.RETURN)
        case _:  # the station was asked to request a certificate, and will
            return


def _after_root(upgrade: asyncpg.Record) -> Step:
    return Step.CERTIFICATE if upgrade["profile"] == 3 else _switching(upgrade)


def _switching(upgrade: asyncpg.Record) -> Step:
    return Step.SWITCH if upgrade["ocpp_version"] == "1.6" else Step.PRIORITY


def _command(upgrade: asyncpg.Record, step: Step, root_pem: str) -> Command:
    profile = upgrade["profile"]
    match step:
        case Step.ROOT:
            return InstallCertificate(use="csms_root", certificate=root_pem)
        case Step.CERTIFICATE:
            return Trigger(message="sign_certificate")
        case Step.PRIORITY:
            return GetVariables(variables=(Variable(component=_PRIORITY[0], variable=_PRIORITY[1]),))
        case Step.SWITCH if upgrade["ocpp_version"] == "1.6":
            return SetConfiguration(key="SecurityProfile", value=str(profile))
        case Step.SWITCH:
            slot = _free_slot(upgrade["detail"])
            return SetNetworkProfile(slot=slot, url=upgrade["url"], security_profile=profile)
        case Step.PREFER:
            former = upgrade["detail"]
            value = ",".join(filter(None, (str(_free_slot(former)), former)))
            place = VariableValue(component=_PRIORITY[0], variable=_PRIORITY[1], value=value)
            return SetVariables(variables=(place,))
        case Step.RESTART:
            return Reset(mode="soft" if upgrade["ocpp_version"] == "1.6" else "on_idle")
        case _:
            raise ValueError(f"no command for the step '{step}'")


def _free_slot(priority: str) -> int:
    """The lowest slot that the station does not use now, so that its present way to us is not overwritten."""
    used = {part.strip() for part in priority.split(",")}
    return next(slot for slot in range(100) if str(slot) not in used)


def _priority_of(outcome: Outcome) -> str:
    for each in outcome.result.get("variables") or ():
        if isinstance(each, dict) and each.get("variable") == _PRIORITY[1]:
            return str(each.get("value") or "")
    return ""


async def _give(means: Means, upgrade: asyncpg.Record, step: Step, root_pem: str) -> None:
    note = f"on the way to security profile {upgrade['profile']}"
    plan = Plan(expires_in_s=_COMMAND_S, note=note)
    principal = system_principal(upgrade["tenant_id"])
    try:
        task_id = await give_command(
            means, principal, upgrade["identity"], _command(upgrade, step, root_pem), plan
        )
    except PilotwireError as error:
        await _go(means, upgrade, Step.FAILED, f"at the step '{step}': {error}")
        return
    async with means.db.service.acquire() as connection:
        await rows.move_upgrade(
            connection,
            upgrade["station_id"],
            step.value,
            means.clock(),
            task_id=task_id,
            detail=upgrade["detail"],
        )


async def _arrived(means: Means, upgrade: asyncpg.Record) -> None:
    await raise_security_profile(
        means.db, means.bus, system_principal(upgrade["tenant_id"]), upgrade["identity"], upgrade["profile"]
    )
    await _go(means, upgrade, Step.DONE)


async def _go(means: Means, upgrade: asyncpg.Record, step: Step, detail: str = "") -> None:
    now = means.clock()
    async with means.db.service.acquire() as connection:
        await rows.move_upgrade(connection, upgrade["station_id"], step.value, now, detail=detail)
    told: Any = UpgradeChanged(
        upgrade["tenant_id"], upgrade["station_id"], upgrade["identity"], upgrade["profile"], step.value, detail, now
    )  # fmt: skip
    means.bus.publish(told)
