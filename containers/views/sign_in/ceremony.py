"""What a browser is asked to sign with a passkey, and whether the answer is right (WebAuthn).

A challenge is kept in the session, is good for one purpose, once, and for five minutes. The names
that passkeys are bound to are those of the request, which Django has compared with ALLOWED_HOSTS.
"""

from __future__ import annotations

import hashlib
import json
import time
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from containers.models.passkey import LONGEST, Passkey

ASKED = "passkey_asked"  # in a session: the challenge that waits for an answer
WITHIN = 300  # seconds
LARGEST = 32_768  # letters of an answer
TRANSPORTS = {each.value for each in AuthenticatorTransport}


class Purpose(StrEnum):
    NEW = "new"  # to make one
    ALONE = "alone"  # to sign in with it, in the place of name, password and code
    SECOND = "second"  # after the password
    CONFIRM = "confirm"  # for somebody who has signed in


class Unproven(Exception):
    """The answer is not right. passkey: whose it would be."""

    def __init__(self, why: str, passkey: Passkey | None = None) -> None:
        super().__init__(why)
        self.passkey = passkey


def possible(request: HttpRequest) -> bool:
    """Browsers have no passkeys for bare addresses, nor over plain http from another machine."""
    name = rp_id(request)
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return request.is_secure() or name == "localhost"
    return False


def rp_id(request: HttpRequest) -> str:
    host = request.get_host()
    return host.rpartition(":")[0] if host[-1:] != "]" and ":" in host else host


def origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def usable(request: HttpRequest, user: User) -> list[Passkey]:
    """The user's, as far as they are good under the name that the page was asked for."""
    if not possible(request):
        return []
    return list(Passkey.objects.filter(user=user, rp_id=rp_id(request), went_back=None))


def ask_new(request: HttpRequest, user: User) -> dict[str, Any]:
    """What navigator.credentials.create takes."""
    options = generate_registration_options(
        rp_id=rp_id(request),
        rp_name="Panel",
        user_id=hashlib.sha256(f"panel user {user.pk}".encode()).digest(),
        user_name=user.get_username(),
        exclude_credentials=[described(each) for each in usable(request, user)],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    keep(request, Purpose.NEW, options.challenge)
    return dict(json.loads(options_to_json(options)))


def ask(request: HttpRequest, purpose: Purpose, user: User | None = None) -> dict[str, Any]:
    """What navigator.credentials.get takes; user: whose they have to be."""
    verification = UserVerificationRequirement.REQUIRED if user is None else None
    options = generate_authentication_options(
        rp_id=rp_id(request),
        allow_credentials=[described(each) for each in usable(request, user)] if user else [],
        user_verification=verification or UserVerificationRequirement.DISCOURAGED,
    )
    keep(request, purpose, options.challenge)
    return dict(json.loads(options_to_json(options)))


def described(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=base64url_to_bytes(passkey.credential),
        transports=[AuthenticatorTransport(word) for word in passkey.transports] or None,
    )


def keep(request: HttpRequest, purpose: Purpose, challenge: bytes) -> None:
    request.session[ASKED] = [purpose, bytes_to_base64url(challenge), time.time()]


def challenge_for(request: HttpRequest, purpose: Purpose) -> bytes:
    """The one that waits, which is used up with that. Raises Unproven."""
    kept, challenge, at = request.session.pop(ASKED, ("", "", 0))
    if kept != purpose or not 0 <= time.time() - at <= WITHIN:
        raise Unproven("nothing was asked, or too long ago")
    return base64url_to_bytes(challenge)


def read(text: str) -> dict[str, Any]:
    """What a browser's PublicKeyCredential.toJSON() is. Raises Unproven."""
    try:
        answer = json.loads(text[: LARGEST + 1]) if len(text) <= LARGEST else None
    except (ValueError, RecursionError) as error:
        raise Unproven("that is no answer of an authenticator") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise Unproven("that is no answer of an authenticator")
    return answer


def made(request: HttpRequest, user: User, text: str, name: str) -> Passkey:
    """The new passkey, from the answer to ask_new. Raises Unproven."""
    challenge, answer = challenge_for(request, Purpose.NEW), read(text)
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id(request),
            expected_origin=origin(request),
        )
    except (WebAuthnException, ValueError, TypeError, LookupError, AttributeError) as error:
        raise Unproven(f"{error}") from error
    credential = bytes_to_base64url(found.credential_id)
    if len(credential) > LONGEST or Passkey.objects.filter(credential=credential).exists():
        raise Unproven("that passkey is known already")
    said = answer["response"].get("transports")
    passkey: Passkey = Passkey.objects.create(
        user=user,
        name=name,
        credential=credential,
        public_key=found.credential_public_key,
        rp_id=rp_id(request),
        sign_count=found.sign_count,
        transports=[word for word in said if word in TRANSPORTS] if isinstance(said, list) else [],
    )
    return passkey


def proven(request: HttpRequest, purpose: Purpose, text: str, user: User | None = None) -> Passkey:
    """The passkey that has signed, from the answer to ask. Raises Unproven.

    user: whose it has to be. Without, its authenticator must have verified whoever holds it.
    """
    challenge, answer = challenge_for(request, purpose), read(text)
    found: Passkey | None = Passkey.objects.filter(
        credential=f"{answer.get('id')}"[:LONGEST]
    ).first()
    if not found or found.rp_id != rp_id(request) or not found.user.is_active:
        raise Unproven("no passkey of this panel")
    if user and found.user != user:
        raise Unproven("a passkey of somebody else", found)
    try:
        signed = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=found.rp_id,
            expected_origin=origin(request),
            credential_public_key=bytes(found.public_key),
            credential_current_sign_count=0,  # compared below, once the signature is known good
            require_user_verification=user is None,
        )
    except (WebAuthnException, ValueError, TypeError, LookupError, AttributeError) as error:
        raise Unproven(f"{error}", found) from error
    if not found.take(hashlib.sha256(challenge).hexdigest(), signed.new_sign_count):
        raise Unproven("its counter went back" if found.went_back else "answered twice", found)
    return found
