from loihi_onespike import convert
from netx_export import write
from tests.support.models import inputs, make
from tests.support.networks import sides


def test_document(document, net_file):
    found = document("inspect", net_file)
    assert found["file"] == str(net_file) and found["options"]["wait"] == 8
    by_name = {layer["name"]: layer for layer in found["layers"]}
    assert by_name["relu2"]["shape"] == [16, 8, 8] and by_name["relu2"]["wait_steps"] == 8
    # relu1 waits for its 5 input steps and starts in step 2; one hop after that: 2 + 5 + 1
    assert [by_name[n]["first_step"] for n in ("input", "relu1", "relu2")] == [1, 2, 8]
    (conv,) = (s for s in found["synapses"] if s["name"] == "relu1")
    # 3 x 3 kernel with padding 1 over 8 x 8: corners feed 4 places, edges 6, others 9, each into 12 channels
    assert conv["synapses"] == 12 * (4 * 4 + 24 * 6 + 36 * 9)
    assert conv["weights"] == 108 and -254 <= conv["smallest"] < conv["largest"] <= 254


def test_text(onespike, net_file):
    text = onespike("inspect", net_file).stdout
    for word in ("Populations", "Synapses", "Timing", "Options of the conversion", "DigitsCNN", "2432", "classifier"):
        assert word in text


def test_one_layer(onespike, document, net_file):
    found = document("inspect", net_file, "--layer", "relu2")
    assert [s["pre"] for s in found["reads"]] == ["relu1"] and [s["post"] for s in found["read_by"]] == ["max_pool"]
    assert [p["phase"] for p in found["phases"]] == list(range(1, 17))
    falling = [p["level"] for p in found["phases"]]
    assert falling == sorted(falling, reverse=True)
    text = onespike("inspect", net_file, "--layer", "relu2").stdout
    assert "head-room" in text and "level / λ" in text


def test_messages_are_shown_where_there_are_some(onespike, document, tmp_path):
    net = convert(make("plain_cnn"), inputs(16), timesteps=4, payload_bits=2)
    net.save(tmp_path / "net.h5")
    name = net.network.hidden[0].name
    found = document("inspect", tmp_path / "net.h5", "--layer", name)["phases"]
    assert [p["phase"] for p in found] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]
    assert [p["message"] for p in found] == list(net.network.hidden[0].code.messages)
    assert "message" in onespike("inspect", tmp_path / "net.h5", "--layer", name).stdout


def test_neurons_without_negative_spikes_are_counted(onespike, document, tmp_path):
    write(sides(), tmp_path / "sides.h5")
    assert document("inspect", tmp_path / "sides.h5", "--layer", "channels")["one_sided"] == 32
    assert "of 32 of 64 neurons" in onespike("inspect", tmp_path / "sides.h5", "--layer", "channels").stdout
    assert "negative spikes" not in onespike("inspect", tmp_path / "sides.h5", "--layer", "readout").stdout


def test_every_layer_can_be_shown(onespike, net_file):
    for name in ("input", "relu1", "max_pool", "classifier"):
        assert onespike("inspect", net_file, "--layer", name).exit_code == 0


def test_unknown_layer(onespike, net_file):
    result = onespike("inspect", net_file, "--layer", "conv2")
    assert result.exit_code == 2
    assert "got 'conv2'" in result.stderr and "input, relu1, relu2, max_pool, relu3, classifier" in result.stderr
