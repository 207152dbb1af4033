// Losses and errors of members on a split, and outputs for rows.
#pragma once

#include <vector>

#include "cpu/dataset.hpp"
#include "cpu/member.hpp"

namespace hyperband::cpu {

inline size_t blocks_of(size_t rows) { return (rows + kEvaluationRows - 1) / kEvaluationRows; }

// A split, and what its rows' losses are.
struct EvaluationTask {
    const Dataset &data;
    Loss loss;
    int n_outputs;
};

// Sums over the block of kEvaluationRows rows of that number; the last block may be shorter. `weights`: an arena of m.
Sums evaluate_block(const EvaluationTask &task, const Member &m, const float *weights, size_t block, const Workspace &work);

// Loss and error of each member with its current or its best weights; threads share members or, where these are few, blocks.
std::vector<Scores> evaluate(const EvaluationTask &task, const std::vector<const Member *> &members, bool best,
                             std::vector<ThreadScratch> &scratch);

// A network as its outputs need it.
struct Forward {
    const Layout &layout;
    Activation activation;
    int inputs;            // of the first layer, those that take part
    const float *weights;  // an arena
};

// Rows on the host: x (n, n_inputs), out (n, n_outputs), nothing padded.
struct Prediction {
    const float *x;
    size_t n;
    float *out;
};

// Outputs of a network, blocks of rows dealt to the scratch's threads. False when x holds a number that is not finite: then
// `out` means nothing.
bool predict(const Forward &network, const Prediction &rows, std::vector<ThreadScratch> &scratch);

}  // namespace hyperband::cpu
