#include "textflag.h"

// func ahead(p unsafe.Pointer)
TEXT ·ahead(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), AX
	PREFETCHT0 (AX)
	RET
