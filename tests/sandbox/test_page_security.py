import pytest

from tests.sandbox.page_kit import PAGE_URL, unserved_page


@pytest.mark.parametrize("url", [PAGE_URL, "http://localhost:8765"])
async def test_the_page_is_served_on_this_machine_with_security_headers(url: str) -> None:
    async with unserved_page().client(url) as client:
        response = await client.get("/")

    assert response.status_code == 200
    assert response.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


async def test_the_page_has_no_inline_scripts_or_styles() -> None:
    html = unserved_page().html()

    assert "style=" not in html
    assert "<style" not in html
    assert "onclick=" not in html
    assert html.count("<script") == html.count('<script type="module" src="/static/') == 1


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1:80", "127.0.0.1", "localhost.evil.example:8765", ""]
)
@pytest.mark.parametrize("path", ["/", "/events", "/static/page.js", "/exchange/1"])
async def test_a_request_for_another_host_is_rejected(host: str, path: str) -> None:
    async with unserved_page().client(host=host) as client:
        response = await client.get(path)

    assert response.status_code == 403
    assert "127.0.0.1" in response.text


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:80", ""]
)
async def test_a_post_from_another_origin_is_rejected(origin: str) -> None:
    page = unserved_page()
    async with page.client(origin=origin) as client:
        response = await client.post("/faults", data={"create": "HANG"})

    assert response.status_code == 403
    assert page.x.fault() is None


async def test_a_post_from_the_page_is_accepted() -> None:
    page = unserved_page()
    async with page.client() as client:
        response = await client.post("/faults", data={"create": "HANG"})

    assert (response.status_code, response.text) == (200, "")
    assert page.x.fault() is not None
