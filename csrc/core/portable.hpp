// Marks a function that a GPU runs, too. Any other compiler sees a plain function.
#pragma once

#if defined(__CUDACC__)
#define STEMZOO_ANYWHERE __host__ __device__
#else
#define STEMZOO_ANYWHERE
#endif
