"""From white noise to latents: a linear chain over bars, fitted to what the encoder makes of real music.

Under a standard normal every bar has latents of its own, and those of real music are neither so spread nor so
unconnected: a track that rests goes on resting. The chain gives the latents of the whole their covariance, and those of
a bar their mean given the bar before and the whole, and their covariance around it. Before it is fitted it changes
nothing; a GAN's generator goes on learning it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symgen.model.ensemble.config import EnsembleConfig

__all__ = ["NoiseChain"]

_RIDGE = 1e-3


class NoiseChain(nn.Module):
    """The chain of this module.

    Parameters
    ----------
    config
        Sizes of the latents.
    """

    def __init__(self, config: EnsembleConfig) -> None:
        super().__init__()
        whole, bar = config.latents_of_phrase, config.latents_of_bar
        self.whole_mean, self.whole_factor = nn.Parameter(torch.zeros(whole)), nn.Parameter(torch.eye(whole))
        self.first_mean, self.first_factor = nn.Parameter(torch.zeros(bar)), nn.Parameter(torch.eye(bar))
        self.mean, self.factor = nn.Parameter(torch.zeros(bar)), nn.Parameter(torch.eye(bar))
        self.first_given, self.given = (nn.Parameter(torch.zeros(whole, bar)) for _ in range(2))
        self.step = nn.Parameter(torch.zeros(bar, bar))

    def forward(self, whole: Tensor, bars: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents of noise.

        Parameters
        ----------
        whole
            Shape (batch, latents_of_phrase).
        bars
            Shape (batch, bars, latents_of_bar).
        """
        phrase = self.whole_mean + whole @ self.whole_factor
        latents = [self.first_mean + phrase @ self.first_given + bars[:, 0] @ self.first_factor]
        for bar in range(1, bars.shape[1]):
            mean = self.mean + phrase @ self.given + latents[-1] @ self.step
            latents.append(mean + bars[:, bar] @ self.factor)
        return phrase, torch.stack(latents, dim=1)

    @torch.no_grad()
    def fit(self, phrases: Tensor, bars: Tensor) -> None:
        """Fit the chain to latents by least squares.

        Parameters
        ----------
        phrases
            Shape (windows, latents_of_phrase).
        bars
            Shape (windows, bars, latents_of_bar), at least two bars.
        """
        self.whole_mean.copy_(phrases.mean(dim=0))
        self.whole_factor.copy_(_factor(phrases - phrases.mean(dim=0)))
        mean, weights, factor = _regressed(phrases, bars[:, 0])
        self.first_mean.copy_(mean)
        self.first_given.copy_(weights)
        self.first_factor.copy_(factor)
        n_bars = bars.shape[1]
        known = torch.cat([phrases[:, None].expand(-1, n_bars - 1, -1), bars[:, :-1]], dim=-1).flatten(0, 1)
        mean, weights, factor = _regressed(known, bars[:, 1:].flatten(0, 1))
        self.mean.copy_(mean)
        self.given.copy_(weights[: phrases.shape[1]])
        self.step.copy_(weights[phrases.shape[1] :])
        self.factor.copy_(factor)


def _regressed(known: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return constant, weights and factor of what is left, of values given what is known."""
    x, y = known.double(), value.double()
    x_mean, y_mean = x.mean(dim=0), y.mean(dim=0)
    centred = x - x_mean
    gram = centred.T @ centred + _RIDGE * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(gram, centred.T @ (y - y_mean))
    left = (y - y_mean) - centred @ weights
    return (y_mean - x_mean @ weights).float(), weights.float(), _factor(left.float())


def _factor(centred: Tensor) -> Tensor:
    """Return a matrix that gives white rows the covariance of centred ones."""
    covariance = centred.double().T @ centred.double() / len(centred)
    covariance += _RIDGE * torch.eye(len(covariance), dtype=covariance.dtype)
    factor: Tensor = torch.linalg.cholesky(covariance).T.float()
    return factor
