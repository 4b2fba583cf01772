"""Convert the shipped digits network and put everything about it on one page, report.html.

    pip install 'loihi-onespike[report]'
    python examples/report_digits.py [report.html]

The page opens from disk in any browser and loads nothing from elsewhere. For your own network, see docs/report.md.
"""

import sys
import time

import loihi_onespike as los
from loihi_onespike.data import load_data
from loihi_onespike.models.digits_cnn import load_digits_cnn


def main(page: str = "report.html") -> None:
    """Convert, write the page, and say how large it is and how long it took."""
    data = load_data("digits", calibration_images=512)
    net = los.convert(load_digits_cnn(), data.calibration, timesteps=16)
    start = time.perf_counter()
    path = net.report(page, data.images, data.labels, classes=data.classes, facts={"data": data.name})
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
    else:
        main(*sys.argv[1:2])
