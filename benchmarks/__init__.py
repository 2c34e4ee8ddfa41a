"""Benchmarks: one runnable module each, sharing `benchmarks.harness`."""
