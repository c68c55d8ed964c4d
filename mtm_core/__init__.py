"""Multi-task masking (MtM) for multi-region spiking data: training, inference, evaluation."""

__version__ = "0.1.0"
