"""The page at /api/docs/: what nginx sends, and what a browser makes of it."""

import json
import os
import signal

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from service import TOP, unique

DOCS = "/api/docs/"
HTDOCS = TOP / "viewer/htdocs"
METHODS = {"get", "put", "post", "delete", "patch"}
POLICY = {
    "default-src 'none'",
    "base-uri 'none'",
    "connect-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    "script-src 'self'",
    "style-src 'self'",
}
FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "index.html": ("index.html", "text/html; charset=utf-8"),
    "viewer.css": ("viewer.css", "text/css; charset=utf-8"),
    "viewer.js": ("viewer.js", "text/javascript; charset=utf-8"),
    "swagger-ui/LICENSE": ("swagger-ui/LICENSE", "text/plain; charset=utf-8"),
    "swagger-ui/swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui/swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
}


# --- nginx -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES)
def test_file(nobody, path):
    name, content_type = FILES[path]
    answer = nobody.get(DOCS + path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.content == (HTDOCS / name).read_bytes()


@pytest.mark.parametrize("path", FILES)
def test_headers(nobody, path):
    headers = nobody.get(DOCS + path).headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "nginx"
    assert "Strict-Transport-Security" not in headers  # the tests' nginx has no TLS


def test_cached_until_it_changes(nobody):
    tag = nobody.get(DOCS + "viewer.js").headers["ETag"]
    again = nobody.get(DOCS + "viewer.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


def test_without_the_slash(nobody):
    answer = nobody.get("/api/docs")
    assert (answer.status_code, answer.headers["Location"]) == (301, DOCS)


@pytest.mark.parametrize("path", ["nothing", "swagger-ui/nothing.js", "..%2froster.conf", "%2e%2e/update.sh", "index"])
def test_unknown_file(nobody, path):
    answer = nobody.get(DOCS + path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_folder_is_not_listed(nobody):
    answer = nobody.get(DOCS + "swagger-ui/")
    assert (answer.status_code, answer.json()) == (403, {"detail": "You do not have permission to perform this action."})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_files_are_only_read(nobody, method):
    answer = nobody.request(method, DOCS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


def test_other_paths_stay_the_service_s(nobody):
    answer = nobody.get("/api/docsets/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_can_be_left_out(daemon):
    """Without its one location the path is the service's, which knows none."""
    instance = daemon()
    site = instance.state / "nginx/site.conf"
    before, _, after = site.read_text().partition("\tlocation ^~ /api/docs {\n")
    site.write_text(before + after.partition("\n\t}\n")[2])
    with instance.renewed_nginx() as nginx:
        os.kill(nginx, signal.SIGHUP)
    assert instance.nobody.get(DOCS).status_code == 404
    assert instance.nobody.get("/api/docs").status_code == 404
    assert instance.nobody.get("/api/schema/").status_code == 200


# --- the browser -----------------------------------------------------------------------------


class Browser:
    """A headless Chromium that looks at the page, with notes of what it asked and complained about."""

    ARGUMENTS = (
        "--headless=new",
        "--no-sandbox",  # as root there is none
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-proxy-server",
        "--window-size=1280,1600",
    )
    SECONDS = 120

    def __init__(self, folder, service):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in (*self.ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.ignore_local_proxy_environment_variables()
        driver = Driver("/usr/bin/chromedriver", log_path=str(folder / "chromedriver.log"))
        self.driver = webdriver.Chrome(service=driver, options=options)
        self.driver.set_page_load_timeout(self.SECONDS)
        self.origin = service.url

    def open(self, fragment=""):
        """Loads the page anew; #fragment says where in it."""
        self.driver.get("about:blank")
        self.notes()
        self.driver.get(f"{self.origin}{DOCS}{fragment}")

    def until(self, condition, what):
        return WebDriverWait(self.driver, self.SECONDS).until(lambda _: condition(), what)

    def find(self, selector):
        return self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector), selector)[0]

    def click(self, selector):
        """A click that hits even what something else covers while it slides into its place."""
        self.find(selector)
        self.driver.execute_script("document.querySelector(arguments[0]).click()", selector)

    def notes(self):
        """What was asked for over the network since the last time, and what the console said."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        asked = [url for url in urls if not url.startswith(("data:", "chrome:"))]
        return asked, [entry["message"] for entry in self.driver.get_log("browser")]

    def operations(self):
        """Method and path of each operation that is shown."""
        return self.driver.execute_script(
            """return Array.from(document.querySelectorAll(".opblock-summary"), row => [
                row.querySelector(".opblock-summary-method").textContent.toLowerCase(),
                row.querySelector(".opblock-summary-path").dataset.path])"""
        )


@pytest.fixture(scope="module")
def browser(service, tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"), service)
    yield browser
    browser.driver.quit()


def shown(browser, operations):
    browser.until(lambda: len(browser.operations()) >= operations, f"{operations} operations")
    return {tuple(operation) for operation in browser.operations()}


def test_page_shows_every_operation(service, nobody, browser, tmp_path):
    paths = nobody.get("/api/schema/").json()["paths"]
    known = {(method, path) for path, item in paths.items() for method in item if method in METHODS}
    browser.open()
    assert shown(browser, len(known)) == known
    assert ("get", "/api/users/me/") in known

    links = browser.driver.execute_script("return Array.from(document.links, link => link.href)")
    assert not [link for link in links if not link.startswith(service.url + "/")]

    picture = tmp_path / "docs.png"
    picture.write_bytes(browser.driver.get_screenshot_as_png())
    image = Image.open(picture).convert("RGB")
    colours = sorted((count for count, _ in image.getcolors(image.width * image.height)), reverse=True)
    assert image.width >= 1000 and image.height >= 1000
    assert len(colours) > 100 and colours[0] < 0.9 * image.width * image.height

    asked, complaints = browser.notes()
    assert not complaints
    assert {url.removeprefix(service.url) for url in asked} == {
        DOCS,
        DOCS + "viewer.css",
        DOCS + "viewer.js",
        DOCS + "swagger-ui/swagger-ui.css",
        DOCS + "swagger-ui/swagger-ui-bundle.js",
        "/api/schema/",
    }


def test_a_request_from_the_page(service, browser):
    """A link into the page; a token; the call; its answer. No other host hears of it, and no policy is offended."""
    user = service.account(unique("viewer"))
    browser.open("#/users/users_me_retrieve")
    browser.click(".btn.authorize")
    browser.find(".auth-container input").send_keys(f"Token {user.token}")
    browser.click(".auth-container .authorize")
    browser.click(".modal-ux .btn-done")
    browser.click(".opblock.is-open .try-out__btn")
    browser.click(".opblock.is-open .execute")
    status = browser.find(".live-responses-table .response .response-col_status").text
    body = browser.find(".live-responses-table .response .response-col_description").text
    assert status.startswith("200") and user.user["username"] in body

    asked, complaints = browser.notes()
    assert not [text for text in complaints if "escaping deep link whitespace" not in text]  # of any name with a _
    assert f"{service.url}/api/users/me/" in asked
    assert not [url for url in asked if not url.startswith(service.url + "/")]
