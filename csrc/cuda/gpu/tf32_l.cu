#include "cuda/gpu/kernels.cuh"

namespace hyperband::cuda {

template cudaError_t start_training<SizeClass::L, Precision::tf32>(const Shape &, const JobList<TrainJob> &, const Task &);
template cudaError_t allow_training<SizeClass::L, Precision::tf32>(int, size_t *);
template cudaError_t training_residents<SizeClass::L, Precision::tf32>(const Shape &, int *);

}  // namespace hyperband::cuda
