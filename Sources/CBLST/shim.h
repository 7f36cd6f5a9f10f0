#include <blst.h>
