// The one-spike neuron as three units of SANA-FE (docs/arithmetic.md, The neuron). Compiled on demand against the
// headers that SANA-FE installs; all values are integers of at most 53 bits, so that SANA-FE's doubles are exact.
//
//   synapse   weight · message of the presynaptic neuron, 1 or -1
//   dendrite  sum of what arrives in a step, 1 + delay steps after it was sent
//   soma      t <= input steps:  v = saturate((v · leak_t >> 12) + a_in · 2^shift), then v is held
//             spike at phase k = t - wait, for the first k with v >= theta_k, or v <= -negative_k; with a dip, -far_k <= v <= -negative_k
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch.hpp"
#include "attribute.hpp"
#include "pipeline.hpp"

namespace
{
constexpr std::int64_t v_max = (1LL << 23) - 1;
constexpr std::int64_t v_min = -(1LL << 23);
constexpr int leak_shift = 12;
constexpr std::size_t longest_delay = 62;

// Message that a neuron has sent last, by its number in the order of mapping: SANA-FE's messages carry none.
std::vector<std::int8_t> &messages()
{
    static std::vector<std::int8_t> sent;
    return sent;
}

template <typename T> T &at(std::vector<T> &values, std::size_t place, const T &otherwise)
{
    if (values.size() <= place)
    {
        values.resize(place + 1, otherwise);
    }
    return values[place];
}

class OneSpikeSynapse : public sanafe::SynapseUnit
{
public:
    OneSpikeSynapse() { register_attributes(std::set<std::string>{"weight", "delay"}); }
    void set_attribute_hw(const std::string &, const sanafe::ModelAttribute &) override {}
    void set_attribute_edge(std::size_t address, const std::string &name, const sanafe::ModelAttribute &value) override
    {
        if (name == "weight")
        {
            at(weights, address, 0.0) = static_cast<double>(value);
        }
    }
    void track_connection(std::size_t address, std::size_t source, std::size_t) override
    {
        at(sources, address, std::size_t{0}) = source;
    }
    sanafe::PipelineResult update(std::size_t address, bool read, long int) override
    {
        sanafe::PipelineResult output;
        const std::size_t source = sources.at(address);
        const int message = source < messages().size() ? messages()[source] : 1;
        output.current = read ? weights.at(address) * message : 0.0;
        return output;
    }
    void reset() override {}

private:
    std::vector<double> weights;
    std::vector<std::size_t> sources;
};

class OneSpikeDendrite : public sanafe::DendriteUnit
{
public:
    OneSpikeDendrite() { register_attributes(std::set<std::string>{"weight", "delay"}); }
    void set_attribute_hw(const std::string &, const sanafe::ModelAttribute &) override {}
    void set_attribute_neuron(std::size_t, const std::string &, const sanafe::ModelAttribute &) override {}
    void set_attribute_edge(std::size_t address, const std::string &name, const sanafe::ModelAttribute &value) override
    {
        if (name == "delay")
        {
            at(delays, address, std::size_t{0}) = static_cast<std::size_t>(static_cast<int>(value));
        }
    }
    sanafe::PipelineResult update(std::size_t neuron, std::optional<double> current,
            std::optional<std::size_t> synapse, long int step) override
    {
        sanafe::PipelineResult output;
        Steps &sums = at(arriving, neuron, Steps{});
        if (synapse.has_value())
        {
            const std::size_t delay = *synapse < delays.size() ? delays[*synapse] : 0;
            sums[(static_cast<std::size_t>(step) + 1 + delay) % sums.size()] += current.value_or(0.0);
            return output;
        }
        double &sum = sums[static_cast<std::size_t>(step) % sums.size()];
        output.current = sum;
        sum = 0.0;
        return output;
    }
    void reset() override { arriving.clear(); }

private:
    using Steps = std::array<double, longest_delay + 2>;
    std::vector<std::size_t> delays;
    std::vector<Steps> arriving;
};

struct Neuron
{
    std::int64_t v{0};
    std::int64_t bias{0};
    std::int64_t scale{1}; // 2^shift
    long int start{0};
    long int period{1};
    long int wait{0};
    std::size_t number{0};
    std::vector<int> leak;
    std::vector<int> thresholds;
    std::vector<int> negative;
    std::vector<int> far;
    bool silent{false};
};

class OneSpikeSoma : public sanafe::SomaUnit
{
public:
    OneSpikeSoma()
    {
        messages().clear(); // of a chip that ran before
        register_attributes(std::set<std::string>{
                "number", "bias", "shift", "start", "period", "wait", "leak", "thresholds", "negative",
                "far"});
    }
    void set_attribute_hw(const std::string &, const sanafe::ModelAttribute &) override {}
    void set_attribute_neuron(std::size_t address, const std::string &name, const sanafe::ModelAttribute &value) override
    {
        Neuron &n = at(neurons, address, Neuron{});
        if (name == "leak")
        {
            n.leak = static_cast<std::vector<int>>(value);
        }
        else if (name == "thresholds")
        {
            n.thresholds = static_cast<std::vector<int>>(value);
        }
        else if (name == "negative")
        {
            n.negative = static_cast<std::vector<int>>(value);
        }
        else if (name == "far")
        {
            n.far = static_cast<std::vector<int>>(value);
        }
        else
        {
            set_number(n, name, static_cast<int>(value));
        }
    }
    sanafe::PipelineResult update(std::size_t address, std::optional<double> current, long int step) override
    {
        Neuron &n = neurons.at(address);
        sanafe::PipelineResult output;
        output.status = sanafe::idle;
        const long int t = (step - n.start - 1) % n.period + 1; // step of the window
        if (step <= n.start)
        {
            return output;
        }
        if (t == 1)
        {
            n.v = n.bias;
            n.silent = false;
        }
        const auto input_steps = static_cast<long int>(n.leak.size());
        const auto phases = static_cast<long int>(n.thresholds.size());
        if (t <= input_steps)
        {
            const auto a_in = static_cast<std::int64_t>(current.value_or(0.0));
            const std::int64_t leaked = (n.v * n.leak[static_cast<std::size_t>(t - 1)]) >> leak_shift;
            n.v = std::clamp(leaked + a_in * n.scale, v_min, v_max);
        }
        if (t <= std::max(input_steps, phases > 0 ? n.wait + phases : 0L))
        {
            output.status = sanafe::updated;
        }
        const long int phase = t - n.wait;
        if (phase >= 1 && phase <= phases && !n.silent)
        {
            const auto place = static_cast<std::size_t>(phase - 1);
            const bool above = n.v >= n.thresholds[place];
            const bool below = !n.negative.empty() && n.v <= -static_cast<std::int64_t>(n.negative[place])
                    && (n.far.empty() || n.v >= -static_cast<std::int64_t>(n.far[place]));
            if (above || below)
            {
                n.silent = true;
                messages()[n.number] = above ? 1 : -1;
                output.status = sanafe::fired;
            }
        }
        return output;
    }
    double get_potential(std::size_t address) override { return static_cast<double>(neurons.at(address).v); }
    void reset() override {}

private:
    static void set_number(Neuron &n, const std::string &name, int value)
    {
        if (name == "number")
        {
            n.number = static_cast<std::size_t>(value);
            at(messages(), n.number, std::int8_t{1});
        }
        else if (name == "bias")
        {
            n.bias = value;
        }
        else if (name == "shift")
        {
            n.scale = std::int64_t{1} << value;
        }
        else if (name == "start")
        {
            n.start = value;
        }
        else if (name == "period")
        {
            n.period = value;
        }
        else if (name == "wait")
        {
            n.wait = value;
        }
    }

    std::vector<Neuron> neurons;
};
} // namespace

// SANA-FE looks for create_ and the name of the model.
extern "C" sanafe::PipelineUnit *create_one_spike_synapse()
{
    return new OneSpikeSynapse();
}

extern "C" sanafe::PipelineUnit *create_one_spike_dendrite()
{
    return new OneSpikeDendrite();
}

extern "C" sanafe::PipelineUnit *create_one_spike_soma()
{
    return new OneSpikeSoma();
}
