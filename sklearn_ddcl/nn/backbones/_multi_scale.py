"""Features from several depths of a network."""

from collections.abc import Sequence

from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_matrix

__all__ = ["MultiScale"]


class MultiScale(nn.Module):
    """Stages run one after the other, with a head on each (section 6.1).

    Prototypes on the features of early stages resolve what differs within the
    clusters of late ones.

    Parameters
    ----------
    stages : sequence of nn.Module
        Parts of a backbone; each takes what the one before it returned.
    heads : sequence of nn.Module
        One for each stage: features (n, d) from what the stage returned, such
        as pooling and a linear layer.

    Raises
    ------
    ValueError
        If there is no stage, the numbers of stages and heads differ, or
        either holds something else than modules.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> stages = [nn.Linear(6, 5), nn.Linear(5, 4)]
    >>> module = MultiScale(stages, heads=[nn.Linear(5, 3), nn.Identity()])
    >>> [z.shape for z in module(torch.zeros(2, 6))]
    [torch.Size([2, 3]), torch.Size([2, 4])]
    """

    def __init__(self, stages: Sequence[nn.Module], heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.stages = _module_list("stages", stages)
        self.heads = _module_list("heads", heads)
        if len(self.heads) != len(self.stages):
            raise ValueError(
                f"heads must have one module for each of the {len(self.stages)} stages, "
                f"got {len(self.heads)}."
            )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features of every stage, the first one first.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples.

        Returns
        -------
        list of Tensor of shape (n, d)
            Features; d may differ from stage to stage.

        Raises
        ------
        ValueError
            If a head returns no matrix.
        """
        features = []
        for number, (stage, head) in enumerate(zip(self.stages, self.heads, strict=True)):
            x = stage(x)
            z = head(x)
            check_matrix(f"the result of heads[{number}]", z)
            features.append(z)
        return features


def _module_list(name: str, modules: Sequence[nn.Module]) -> nn.ModuleList:
    if not isinstance(modules, Sequence | nn.ModuleList | nn.Sequential) or not len(modules):
        raise ValueError(f"{name} must be a sequence of at least one module, got {modules!r}.")
    for number, module in enumerate(modules):
        if not isinstance(module, nn.Module):
            raise ValueError(
                f"{name}[{number}] must be a torch module, got {type(module).__name__}."
            )
    return nn.ModuleList(modules)
