"""The page in headless Chromium: it draws without an error or a request, and what one clicks works."""

from __future__ import annotations

import json
import shutil

import pytest

from loihi_onespike.analysis.report.page.render import render

pytestmark = pytest.mark.slow
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 740}


@pytest.fixture(scope="module")
def browser():
    """Chromium of the system, driven by playwright."""
    pytest.importorskip("bokeh", reason="Bokeh is not installed; it is in the extra `report`")
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it is in the extra `dev`")
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)} is on the PATH")
    with driver.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(document, browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(document, "1.2.3"), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, file):
    """opened(viewport, theme) → the drawn page and what it complained about or asked for."""
    contexts = []

    def show(viewport, theme="light"):
        context = browser.new_context(viewport=viewport, color_scheme=theme, has_touch=viewport is PHONE)
        contexts.append(context)
        page, heard = context.new_page(), []
        page.on("console", lambda m: heard.extend([m.text] if m.type in ("error", "warning") else []))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.extend({request.url} - {file.as_uri()}))
        page.goto(file.as_uri())
        page.wait_for_selector('body[data-ready="yes"]', timeout=60_000)
        return page, heard

    yield show
    for context in contexts:
        context.close()


def test_it_draws_every_plot_without_errors_or_requests(opened):
    page, heard = opened(DESKTOP)
    places = page.locator(".canvas")
    assert places.count() > 10
    assert places.evaluate_all("all => all.filter(c => !c.querySelector('.bk-Figure')).map(c => c.id)") == []
    assert page.locator("p.alt").filter(has_text="undefined").count() == 0
    assert heard == []


def test_stepping_sorting_and_copying(opened):
    page, heard = opened(DESKTOP)
    page.get_by_role("button", name="Next population").first.click()
    page.get_by_role("button", name="Previous image").click()
    page.wait_for_function("document.getElementById('plot-raster-alt').textContent.includes('image 3')")
    assert page.locator("#spikes-layer").input_value() == "2"
    assert page.locator("#spikes-facts").inner_text().count("label") == 1
    page.locator("#board-color").select_option("share")
    page.wait_for_function("document.getElementById('plot-board-alt').textContent.includes('red (full)')")

    table = page.locator("#conversion table").first
    neurons = table.get_by_role("button", name="neurons")
    for direction in ("ascending", "descending"):
        neurons.click()
        values = [
            float(v) for v in table.locator("tbody td:nth-child(4)").evaluate_all("c => c.map(x => x.dataset.value)")
        ]
        assert values == sorted(values, reverse=direction == "descending") and len(values) == 4
        assert table.locator("th:nth-child(4)").get_attribute("aria-sort") == direction

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#accuracy .copy").first.click()
    page.wait_for_function("document.querySelector('#accuracy .copy').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert len(copied) == 4 and copied[2].startswith("one-spike network\t")
    assert heard == []


def test_a_phone_scrolls_in_one_direction_and_the_theme_follows_the_system(opened):
    page, heard = opened(PHONE, "dark")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.locator("#theme").select_option("light")
    page.wait_for_selector('body[data-ready="yes"]', timeout=60_000)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(24, 32, 43)"
    assert heard == []


def test_long_names_and_a_part_that_is_left_out_fit_a_phone(browser, document, tmp_path):
    long = "blocks.0.attention.softmax.reciprocal"
    name = document["errors"]["layers"][1]["name"]
    text = json.dumps({**document, "tuning": {"missing": "Run `onespike tune`."}})
    path = tmp_path / "report.html"
    path.write_text(render(json.loads(text.replace(f'"{name}"', f'"{long}"')), "1.2.3"), encoding="utf-8")
    page = browser.new_page(viewport=PHONE)
    page.goto(path.as_uri())
    page.wait_for_selector('body[data-ready="yes"]', timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate(f"plots.elided('{long}', 20)") == "blocks…ax.reciprocal"
    assert page.locator("#tuning code").inner_text() == "onespike tune"
    page.close()
