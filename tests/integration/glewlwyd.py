"""Glewlwyd, an OAuth 2 server that others wrote, set up through its own interface."""

import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import requests
from service import eventually, free_port

SCHEMA = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
MODULES = "/usr/lib/glewlwyd"
ADMIN = {"username": "admin", "password": "password"}  # whom the schema has
USER = {"username": "sync", "password": "a password of the tests"}
CLIENT = ("roster", "open sesame")
PLUGIN = "oidc"
SCOPE = "openid"

CONFIG = """
port = {port}
bind_address = "127.0.0.1"
external_url = "{url}"
api_prefix = "api"
log_mode = "console"
log_level = "WARNING"
cookie_secure = 0
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3" path = "{database}" }}
"""


class Glewlwyd:
    """
    A server with one user, one confidential client and one plugin whose refresh tokens are good for one use: with an
    access token comes the next one.
    """

    def __init__(self, lifetime=3600):
        self.folder = Path(tempfile.mkdtemp(prefix="roster-glewlwyd."))
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.api = f"{self.url}/api"
        self.session = requests.Session()
        self.session.trust_env = False
        self.database = self.folder / "glewlwyd.db"
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.executescript(SCHEMA.read_text())
        config = CONFIG.format(port=self.port, url=self.url, modules=MODULES, database=self.database)
        (self.folder / "glewlwyd.conf").write_text(config)
        try:
            self.start()
            self.set_up(lifetime)
        except BaseException:
            self.close()
            raise

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["glewlwyd", "--config-file", self.folder / "glewlwyd.conf"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        eventually(self.answers, what="Glewlwyd's answer")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            return self.session.get(f"{self.url}/config", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def close(self):
        self.session.close()
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, **options):
        answer = self.session.request(method, self.api + path, timeout=20, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def set_up(self, lifetime):
        self.ask("POST", "/auth/", json=ADMIN)
        self.ask("POST", "/user/", json={**USER, "name": "Who syncs", "enabled": True, "scope": [SCOPE]})
        self.ask("POST", "/client/", json={
            "client_id": CLIENT[0], "client_secret": CLIENT[1], "confidential": True, "enabled": True,
            "authorization_type": ["password", "refresh_token"], "token_endpoint_auth_method": ["client_secret_basic"],
        })
        self.ask("POST", "/mod/plugin/", json={
            "module": "oidc", "name": PLUGIN, "display_name": PLUGIN, "enabled": True,
            "parameters": {
                "iss": self.url, "jwt-type": "sha", "jwt-key-size": "256", "key": "what the tokens are signed with",
                "access-token-duration": lifetime, "refresh-token-duration": 1209600, "code-duration": 600,
                "refresh-token-one-use": "always", "allow-non-oidc": True,
                "auth-type-password-enabled": True, "auth-type-refresh-enabled": True,
                "auth-type-client-enabled": False, "auth-type-code-enabled": False, "auth-type-token-enabled": False,
                "auth-type-implicit-enabled": False, "auth-type-device-enabled": False,
                "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
            },
        })

    @property
    def token_url(self):
        return f"{self.api}/{PLUGIN}/token"

    def of_client(self, path, **form):
        """Asks as the client, by its secret; without the administrator's cookies."""
        return requests.post(f"{self.api}/{PLUGIN}{path}", data=form, auth=CLIENT, timeout=20)

    def sign_in(self):
        """The first refresh token, by the user's password."""
        answer = self.of_client("/token", grant_type="password", scope=SCOPE, **USER)
        assert answer.ok, answer.text
        return answer.json()["refresh_token"]

    def is_good(self, token):
        """Is it an access token of this server that still lasts?"""
        answer = self.of_client("/introspect", token=token, token_type_hint="access_token")
        return answer.ok and answer.json()["active"]

    def revoke(self, token, kind):
        answer = self.of_client("/revoke", token=token, token_type_hint=kind)
        assert answer.ok, answer.text

    def issued(self):
        """How many access tokens it has given so far."""
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            return db.execute("SELECT COUNT(*) FROM gpo_access_token").fetchone()[0]
