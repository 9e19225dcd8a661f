"""The list of models."""

from replay_server.interaction import ModelsReply, ModelsWanted


def models_reply(wanted: ModelsWanted, known: tuple[str, ...]) -> ModelsReply:
    """The known models by name, or the one asked for."""
    return ModelsReply(models=tuple(sorted(set(known))) if wanted.model is None else (wanted.model,))
