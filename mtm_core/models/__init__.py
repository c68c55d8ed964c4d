"""Models that turn masked counts into log-rates, and the file they are kept in."""
