"""Multi-task masking (MtM) for multi-region spiking data: training, inference, evaluation, headless."""

__version__ = "0.1.0"
