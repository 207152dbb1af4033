// What a network is: plain data, the same on every device, and the record that Python hands over (see bindings/convert.hpp).
#pragma once

#include <cstdint>

// Functions that the kernels use must be inlined: an out-of-line copy compiled for a newer instruction set could be the one
// that the linker keeps for everyone.
#if defined(__CUDACC__)
#define HB_FN __host__ __device__ inline
#elif defined(__GNUC__)
#define HB_FN inline __attribute__((always_inline))
#else
#define HB_FN inline
#endif
// For loops over arrays that a GPU must keep in registers.
#if defined(__CUDACC__)
#define HB_UNROLL _Pragma("unroll")
#else
#define HB_UNROLL
#endif

namespace hyperband {

enum class Activation : int32_t { identity, relu, leaky_relu, gelu, silu, tanh, sigmoid, step, selu, mish };
enum class Optimizer : int32_t { sgd, adam, adamw, rmsprop };
enum class Schedule : int32_t { constant, cosine, exponential, coslog4, flat_cos };
enum class FactorSchedule : int32_t { constant, flat_cos };  // of dropout and of weight decay
enum class Init : int32_t { automatic, he, glorot, lecun };
enum class NumberEmbedding : int32_t { none, pbld, cosine };
enum class LossKind : int32_t { cross_entropy, logistic, mse, huber, quantile };

// Of a row. number: of huber its delta, of quantile the level, else 0.
struct Loss {
    LossKind kind = LossKind::cross_entropy;
    float number = 0.0f;
    HB_FN bool regression() const { return kind >= LossKind::mse; }
};

// The names of these values in Python, in their order. A test compares them with hyperband/engine.
constexpr const char *kActivations[] = {"identity", "relu",    "leaky_relu", "gelu", "silu",
                                        "tanh",     "sigmoid", "step",       "selu", "mish"};
constexpr const char *kOptimizers[] = {"sgd", "adam", "adamw", "rmsprop"};
constexpr const char *kSchedules[] = {"constant", "cosine", "exponential", "coslog4", "flat_cos"};
constexpr const char *kFactorSchedules[] = {"constant", "flat_cos"};
constexpr const char *kInits[] = {"auto", "he", "glorot", "lecun"};
constexpr const char *kNumberEmbeddings[] = {"none", "pbld", "cosine"};
constexpr const char *kLosses[] = {"cross_entropy", "logistic", "mse", "huber", "quantile"};

constexpr int kMaxHidden = 8;
constexpr int kMaxLayers = kMaxHidden + 1;  // weight matrices
constexpr int kMaxWidth = 1024;             // of a hidden layer
constexpr int kMaxBatch = 4096;
constexpr int kMaxEmbeddingSize = 32, kMaxFrequencies = 64;

// Fields are named as those of hyperband.engine.architecture.Architecture, whose rules they obey.
struct Architecture {
    int32_t n_hidden = 0;
    int32_t widths[kMaxHidden] = {};
    Activation activation = Activation::relu;
    Optimizer optimizer = Optimizer::adam;
    Schedule schedule = Schedule::constant;
    Init init = Init::automatic;
    int32_t batch_size = 64;
    bool nesterov = false, input_scaling = false;
    double learning_rate = 1e-3, momentum = 0.0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0.0, warmup = 0.0, final_rate = 0.01, clip_norm = 0.0;
    double dropout = 0.0, label_smoothing = 0.0;
    double bias_rate = 1.0, first_layer_rate = 1.0, scale_rate = 6.0;
    NumberEmbedding number_embedding = NumberEmbedding::none;
    int32_t embedding_size = 4, embedding_frequencies = 16;
    double frequency_scale = 0.1, embedding_rate = 0.1;
    bool zero_output = false, parametric_activation = false;
    double weight_average = 0.0;
    FactorSchedule dropout_schedule = FactorSchedule::constant, decay_schedule = FactorSchedule::constant;

    bool has_first_moment() const { return optimizer == Optimizer::adam || optimizer == Optimizer::adamw || momentum > 0.0; }
    bool has_second_moment() const { return optimizer != Optimizer::sgd; }
    bool has_average() const { return weight_average > 0.0; }
};
// All fields, for the record that crosses from Python.
#define HB_ARCHITECTURE_FIELDS                                                                                               \
    n_hidden, widths, activation, optimizer, schedule, init, batch_size, nesterov, learning_rate, momentum, beta1, beta2,    \
        epsilon, weight_decay, warmup, final_rate, clip_norm, dropout, label_smoothing, bias_rate, first_layer_rate,         \
        input_scaling, scale_rate, number_embedding, embedding_size, embedding_frequencies, frequency_scale, embedding_rate, \
        dropout_schedule, decay_schedule, zero_output, parametric_activation, weight_average

// Parameters that have one learning rate: the schedule's times a factor of theirs.
enum class Group : int8_t { weights, first_weights, biases, alpha, scale, embedding };
HB_FN double rate_factor(const Architecture &a, Group g) {
    switch (g) {
        case Group::weights: return 1.0;
        case Group::first_weights: return a.first_layer_rate;
        case Group::biases: return a.bias_rate;
        case Group::alpha: return 0.1;
        case Group::scale: return a.scale_rate;
        case Group::embedding: return a.embedding_rate;
    }
    return 1.0;
}

}  // namespace hyperband
