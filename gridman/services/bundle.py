"""Who stands behind a bundle that was carried to the street: the device that its header names, as today's rights see it."""

from gridman.domain.access import Actor
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.access import actor_of_user
from gridman.services.accounts import require_active
from gridman.services.handover import require_open
from gridman.store.accounts import device_of
from gridman.store.unit import Reader

__all__ = ["actor_of_device"]


def actor_of_device(reader: Reader, replica: int) -> Actor:
    """The user of an enrolled device, also of a removed one that may still say its last words, even those of a user who is suspended. That the
    device itself wrote the bundle is proved by its signature, not here.

    Refuses with ``bundle.unknown_device``, ``handover.closed`` or ``auth.suspended``.
    """
    device = device_of(reader, replica)
    if device is None:
        raise Refusal(
            "bundle.unknown_device",
            N_("The street does not know computer {replica}."),
            N_("Enrol that computer again; its work stays on it."),
            replica=replica,
        )
    if device.revoked_at is not None:
        require_open(reader, device)
    else:
        require_active(reader.get(User, device.user_id))
    return actor_of_user(reader, device.user_id, device.replica)
