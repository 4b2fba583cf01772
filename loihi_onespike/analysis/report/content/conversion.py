"""Section on the conversion: what was converted, what was rewritten, and with which options."""

from __future__ import annotations

from collections.abc import Mapping

from loihi_onespike.analysis.report.content.subject import ReportSubject, Section
from loihi_onespike.core.graphs.network_tables import conversion_text, method_text, network_document

KNOWN = ("rewrites", "options", "headroom", "ann_macs")
"""Facts that have a place of their own on the page."""


def conversion_section(subject: ReportSubject) -> Section:
    """Populations, synapses, notes and options of the conversion, and whatever else the network records of itself."""
    network = subject.net.network
    document = network_document(network)
    options = network.facts.get("options")
    recorded = dict(options) if isinstance(options, Mapping) else {}
    if "method" in recorded:
        recorded["method"] = method_text(recorded["method"])
    return {
        **document,
        "method": conversion_text(network),
        "options": recorded,
        "headroom": network.facts.get("headroom", {}),
        "ann_macs": network.facts.get("ann_macs"),
        "facts": {k: v for k, v in network.facts.items() if k not in KNOWN and isinstance(v, str | int | float)},
        "sources": dict(subject.facts),
    }
