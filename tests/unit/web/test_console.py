"""The console's files: who gets what, with which headers."""

from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from pilotwire.web.console import read_console


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built console of three files."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta name="csp-nonce" content="__NONCE__">')
    (tmp_path / "assets" / "index-abc.js").write_text("console.log(1)")
    (tmp_path / "assets" / "index-abc.js.br").write_bytes(b"brotli")
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(b"gzip")
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text("{}")
    return tmp_path


def _client(folder: Path) -> httpx.AsyncClient:
    app = read_console(folder)(PlainTextResponse("nothing here", 404))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://test",
        headers={"Accept": "text/html,*/*;q=0.8"},
    )


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/stations", "/stations/DE*VLT.E1", "/sessions/1?tab=x"]
)
async def test_every_address_of_the_console_gives_its_page(folder: Path, path: str) -> None:
    async with _client(folder) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert "__NONCE__" not in answer.text


async def test_each_page_has_a_nonce_of_its_own_which_its_policy_names(folder: Path) -> None:
    async with _client(folder) as client:
        pages = [await client.get("/") for _ in range(2)]
    nonces = [page.text.split('content="')[1].split('"')[0] for page in pages]
    assert nonces[0] != nonces[1]
    policy = pages[0].headers["content-security-policy"]
    assert f"'nonce-{nonces[0]}'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("accepted", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)])
async def test_files_with_hashed_names_are_kept_for_ever_and_sent_compressed(
    folder: Path, accepted: str, encoding: str | None
) -> None:
    async with (
        _client(folder) as client,
        client.stream("GET", "/assets/index-abc.js", headers={"Accept-Encoding": accepted}) as answer,
    ):
        assert answer.headers.get("content-encoding") == encoding
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api", "/metrics", "/health/other", "/assets/gone.js", "/.vite/manifest.json"],
)
async def test_what_is_not_the_consoles_is_handed_on(folder: Path, path: str) -> None:
    async with _client(folder) as client:
        assert (await client.get(path)).status_code == 404


async def test_a_program_is_told_that_an_address_does_not_exist(folder: Path) -> None:
    async with _client(folder) as client:
        assert (await client.get("/nothing", headers={"Accept": "*/*"})).status_code == 404
        assert (await client.get("/", headers={"Accept": "*/*"})).status_code == 200


async def test_nothing_but_reading_is_answered(folder: Path) -> None:
    async with _client(folder) as client:
        assert (await client.post("/stations")).status_code == 404


async def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    async with _client(tmp_path / "absent") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "scripts/build_console.py" in answer.text
