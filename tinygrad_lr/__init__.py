"""tinygrad_lr"""
from .calculus import grad, hessian, hessian_vector_product, jacobian, value_and_grad
from .gradcheck import gradcheck
from .losses import *
from .operations import *
from .probability import *
from .registry import elementwise, operation
from .array import Array
from .value import Value, detect_anomaly, no_grad
