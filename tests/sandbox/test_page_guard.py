import pytest

from tests.sandbox.test_page_kit import HOME, shown


@pytest.mark.parametrize("url", [HOME, "http://localhost:8765"])
async def test_the_page_answers_on_this_machine_and_keeps_to_itself(url: str) -> None:
    async with shown().client(url) as client:
        answer = await client.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_on_the_page_is_inline() -> None:
    html = shown().html()

    assert "style=" not in html
    assert "<style" not in html
    assert "onclick=" not in html
    assert html.count("<script") == html.count('<script type="module" src="/static/') == 1


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1:80", "127.0.0.1", "localhost.evil.example:8765", ""]
)
@pytest.mark.parametrize("path", ["/", "/rings", "/static/page.js", "/exchange/1"])
async def test_a_foreign_name_that_points_here_gets_nothing(host: str, path: str) -> None:
    async with shown().client(host=host) as client:
        answer = await client.get(path)

    assert answer.status_code == 403
    assert "127.0.0.1" in answer.text


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:80", ""]
)
async def test_another_site_can_do_nothing(origin: str) -> None:
    page = shown()
    async with page.client(origin=origin) as client:
        answer = await client.post("/trouble", data={"create": "HANG"})

    assert answer.status_code == 403
    assert page.x.fault() is None


async def test_the_page_itself_can_do_it() -> None:
    page = shown()
    async with page.client() as client:
        answer = await client.post("/trouble", data={"create": "HANG"})

    assert (answer.status_code, answer.text) == (200, "")
    assert page.x.fault() is not None
