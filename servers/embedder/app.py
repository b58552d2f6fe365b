"""The embedder server: one vector for a set of subjects."""

from contracts import embedder as contract
from servers.embedder.model import EmbedderModel
from servers.shell.routes import ModelRoute, ModelServer


def embed(model: EmbedderModel, version: str, request: contract.EmbedRequest) -> contract.EmbedResponse:
    """Pool the subjects into one vector."""
    vector, known, unknown = model.embed(request.subjects)
    return contract.EmbedResponse(version=version, vector=vector.tolist(), known=known, unknown=unknown)


def warm_up(model: EmbedderModel) -> None:
    """Embed once, so that the first request does not wait for the attention logits."""
    if model.subjects:
        model.embed(model.subjects[:1])


SERVER = ModelServer(
    name="embedder",
    model=EmbedderModel,
    routes=(ModelRoute(contract.EMBED_PATH, contract.EmbedRequest, embed),),
    warm_up=warm_up,
)
