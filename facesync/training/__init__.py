"""Teaching the networks: pairs, losses, the base's task and an identity's task."""
