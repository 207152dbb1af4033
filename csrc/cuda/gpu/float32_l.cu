#include "cuda/gpu/kernels.cuh"

namespace hyperband::cuda {

template cudaError_t start_training<SizeClass::L, Precision::float32>(const Shape &, const List<TrainJob> &, const Task &);
template cudaError_t allow_training<SizeClass::L, Precision::float32>(int, size_t *);
template cudaError_t training_residents<SizeClass::L, Precision::float32>(const Shape &, int *);
template cudaError_t start_judging<SizeClass::L>(const Shape &, const List<JudgeJob> &, const Task &);
template cudaError_t allow_judging<SizeClass::L>(int, size_t *);
template cudaError_t judging_residents<SizeClass::L>(const Shape &, int *);

}  // namespace hyperband::cuda
