#include "cuda/gpu/kernels.cuh"

namespace hyperband::cuda {

template cudaError_t start_training<SizeClass::L, Precision::float32>(const Shape &, const JobList<TrainJob> &, const Task &);
template cudaError_t allow_training<SizeClass::L, Precision::float32>(int, size_t *);
template cudaError_t training_residents<SizeClass::L, Precision::float32>(const Shape &, int *);
template cudaError_t start_evaluation<SizeClass::L>(const Shape &, const JobList<EvaluateJob> &, const Task &);
template cudaError_t allow_evaluation<SizeClass::L>(int, size_t *);
template cudaError_t evaluation_residents<SizeClass::L>(const Shape &, int *);

}  // namespace hyperband::cuda
