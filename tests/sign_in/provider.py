"""A small identity provider (OpenID Connect, authorization code with PKCE) on loopback: everybody gets in."""

import base64
import hashlib
import secrets
import threading
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, jsonify, redirect, request
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

CLIENT_ID, CLIENT_SECRET = "console", "secret-of-the-console"


class Provider:
    """`person`: the claims of whoever sits before the browser. What it refused is in `refused`."""

    def __init__(self) -> None:
        self._app = Flask(__name__)
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.person: dict[str, Any] = {}
        # What the userinfo endpoint says otherwise than the token.
        self.info: dict[str, Any] = {}
        self.refused: list[str] = []
        self.error = ""
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        for path, view in (
            ("/.well-known/openid-configuration", self._describe),
            ("/authorize", self._authorize),
            ("/userinfo", self._tell_of_person),
            ("/keys", self._show_keys),
        ):
            self._app.add_url_rule(path, view_func=view)
        self._app.add_url_rule("/token", view_func=self._give_token, methods=["POST"])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()

    def _describe(self) -> Response:
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            userinfo_endpoint=f"{self.issuer}/userinfo",
            jwks_uri=f"{self.issuer}/keys",
            token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        )

    def _authorize(self) -> Response:
        asked = request.args
        back = asked["redirect_uri"]
        if self.error:
            return redirect(f"{back}?error={self.error}&state={asked['state']}")
        if asked.get("code_challenge_method") != "S256" or "openid" not in asked["scope"].split():
            self.refused.append("no PKCE, or no openid")
            return redirect(f"{back}?error=invalid_request&state={asked['state']}")
        code = secrets.token_urlsafe(8)
        self._codes[code] = {"challenge": asked["code_challenge"], "redirect_uri": back}
        return redirect(f"{back}?code={code}&state={asked['state']}")

    def _give_token(self) -> tuple[Response, int]:
        form = request.form
        known = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_client = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        expected = {"challenge": challenge, "redirect_uri": form["redirect_uri"]}
        if not is_client or known != expected:
            self.refused.append("wrong client, code, verifier or address")
            return jsonify(error="invalid_grant"), 400
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **self.person}
        access = secrets.token_urlsafe(8)
        self._tokens.add(access)
        id_token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})
        return jsonify(access_token=access, token_type="Bearer", expires_in=300, id_token=id_token), 200

    def _tell_of_person(self) -> tuple[Response, int]:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            return jsonify(error="invalid_token"), 401
        return jsonify({**self.person, **self.info}), 200

    def _show_keys(self) -> Response:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return jsonify(keys=[{**public, "kid": "1", "use": "sig", "alg": "RS256"}])
