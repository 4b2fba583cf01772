"""One page about a network: what was converted, how well it works, why, and what it costs (docs/report.md).

los.report(net, "report.html", images, labels, model=model)
"""

from loihi_onespike.analysis.report.write_report import report

__all__ = ["report"]
