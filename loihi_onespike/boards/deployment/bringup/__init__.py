"""Bring-up: networks of a few neurons, what they must do, and the readings that explain what they do instead.

ladder.LADDER                    the networks, the simplest first
ladder_run.climb(session, …)     all of them on a backend
symptoms.explain(observed)       the readings under which an observation comes out
"""
