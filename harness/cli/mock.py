"""``driftgate mock``: simulated channels and ERPs on real ports, for any client in any language."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from mocks.kit.estate import Estate

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EPILOG = """Examples:

  driftgate mock list

  driftgate mock serve amazon_spapi netsuite --orders 20

  driftgate mock serve amazon_spapi --port 0 --seed 7 --speed 60 --drift-pack NAME
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        no_args_is_help=True, help="Simulated channels and ERPs to test a client against."
    )
    group.command("list")(_list)
    group.command("serve", epilog=_EPILOG)(_serve)
    app.add_typer(group, name="mock")


ContractsOption = Annotated[
    str | None, typer.Option("--contracts", metavar="DIR", help="The contracts folder to serve.")
]


def _list(contracts: ContractsOption = None) -> None:
    """List the systems that can be simulated, their APIs and their drift packs."""
    from harness.catalog import Catalog, contracts_root
    from mocks.kit.estate import discover

    catalog = Catalog(contracts_root(contracts))
    described = catalog.system_names()
    for name in discover():
        if name not in described:
            _say(f"{name}  (has no contracts here)")
            continue
        _say(f"{name}  {catalog.system(name).data.get('title', '')}")
        for api, version in catalog.apis(name):
            _say(f"  api         {api}/{version}")
        for pack in catalog.drift_packs(name):
            _say(f"  drift pack  {pack}")


def _serve(
    systems: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYSTEM]...", help="Which systems; all when none is named."),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--host", help="The address to listen on; loopback unless told otherwise."),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65_000, help="The first port, one per system; 0 for any."
        ),
    ] = 8400,
    seed: Annotated[int, typer.Option("--seed", help="The same seed, the same world.")] = 1,
    speed: Annotated[
        float, typer.Option("--speed", help="How much faster than real time the systems live.")
    ] = 1.0,
    drift_pack: Annotated[
        str | None,
        typer.Option("--drift-pack", metavar="NAME", help="Serve this dated change of shape."),
    ] = None,
    orders: Annotated[
        int, typer.Option("--orders", min=0, max=10_000, help="Orders every channel starts with.")
    ] = 0,
    contracts: ContractsOption = None,
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=0, metavar="SECONDS", help="Stop by itself after this time."),
    ] = None,
) -> None:
    """Serve simulated systems until Ctrl-C; print URLs, credentials and curl lines that work."""
    from harness.catalog import Catalog, contracts_root
    from harness.model.errors import UsageError
    from harness.simulation.clock import SystemClock
    from harness.simulation.streams import SeededStreams
    from mocks.kit.estate import Estate, discover
    from mocks.kit.seeding import seed as seed_estate

    root = contracts_root(contracts)
    catalog = Catalog(root)
    names = list(dict.fromkeys(systems or [n for n in discover() if n in catalog.system_names()]))
    if speed <= 0:
        msg = f"--speed {speed:g} would stop time."
        raise UsageError(msg, remedy="Use a number above 0, such as 60 for a minute a second.")
    clock, streams = SystemClock(speed), SeededStreams(seed)
    estate = Estate(
        names,
        catalog=catalog,
        clock=clock,
        streams=streams,
        drift_packs=_drift_packs(catalog, names, drift_pack),
    )
    placed = seed_estate(
        estate.simulators.values(), orders=orders, streams=streams, now_us=clock.now_us()
    )
    _say(f"contracts: {root.path} ({root.how})")
    _say(f"seed {seed}, speed {speed:g}, {placed} orders placed")
    if host not in _LOOPBACK:
        _warn(f"{host} is no loopback address: others can reach these simulators.")
    try:
        asyncio.run(_serve_until_stopped(estate, host=host, port=port, seconds=seconds))
    except KeyboardInterrupt:  # where the loop could not take the signal itself
        _say("stopped")
    for name, books in estate.books.items():
        counts = Counter(call.outcome for call in books.calls)
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        _say(f"{name}: {told or 'no calls'}")


def _drift_packs(
    catalog: Catalog, names: list[str], drift_pack: str | None
) -> Mapping[str, str | None]:
    """Return the pack of every system that has one of this name."""
    from harness.model.errors import UsageError

    if drift_pack is None:
        return {}
    having = {name: drift_pack for name in names if drift_pack in catalog.drift_packs(name)}
    if not having:
        known = [f"{name}: {pack}" for name in names for pack in catalog.drift_packs(name)]
        msg = f"none of these systems has a drift pack {drift_pack!r}."
        raise UsageError(msg, remedy=f"Known: {'; '.join(known) or 'none'}.")
    return having


async def _serve_until_stopped(
    estate: Estate, *, host: str, port: int, seconds: float | None
) -> None:
    import signal

    from mocks.kit.wire import serve_all

    names = list(estate.edges)
    ports = {name: port + at if port else 0 for at, name in enumerate(names)}
    running = await serve_all(dict(estate.edges), ports.__getitem__, host=host)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # an event loop without signals: Ctrl-C still works
            loop.add_signal_handler(number, stop.set)
    try:
        for name, (_, url) in running.items():
            _introduce(estate, name, url)
        _say("\nserving; Ctrl-C stops" if seconds is None else f"\nserving for {seconds:g} s")
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
    finally:
        for server, _ in running.values():
            await server.close()


def _introduce(estate: Estate, name: str, url: str) -> None:
    """Print what a person needs to call one system."""
    from harness.cli.curl import call_line, token_line

    access = estate.access(name, url)
    behaviour = estate.simulators[name].setup.behaviour
    now_us = estate.clock.now_us()
    _say(f"\n{name}  {url}  (simulated: these credentials are good nowhere else)")
    for label, value in (
        ("account", access.account),
        *access.parameters.items(),
        *access.credentials.values.items(),
    ):
        _say(f"  {label:<16} {value}")
    token = token_line(access, behaviour, now_us)
    if token is not None:
        _say(f"  get a token:\n    {token}")
    example = estate.simulators[name].example(now_us)
    if example is not None:
        _say(f"  make a call:\n    {call_line(access, behaviour, example)}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _warn(text: str) -> None:
    sys.stderr.write(f"driftgate: {text}\n")
