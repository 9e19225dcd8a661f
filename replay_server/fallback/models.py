"""The list of models, and whether one of them exists."""

from replay_server.errors import NotFound
from replay_server.interaction import ModelsReply, ModelsWanted


def models_reply(wanted: ModelsWanted, known: tuple[str, ...], listed: bool) -> ModelsReply:
    """The known models by name, or the one asked for. Raises NotFound where only listed models exist."""
    if wanted.model is None:
        return ModelsReply(models=tuple(sorted(set(known))))
    if listed and wanted.model not in known:
        message = f"The model '{wanted.model}' does not exist"
        raise NotFound(message, param="model", code="model_not_found")
    return ModelsReply(models=(wanted.model,))
