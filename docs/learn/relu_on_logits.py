"""Why a ReLU on the logits stalls

A much used implementation of the U-Net, tf_unet, puts a ReLU behind its last layer too: the numbers that go into the softmax are never
below zero. It looks harmless, since every other layer has one. It is why some trainings with it seem to stand still. This page
shows why on a problem of two numbers a class, and then what a real network does.
"""

import matplotlib.pyplot as plt
import numpy as np

# %%
# ## The gradient that is not there
#
# Let a pixel's last layer say `a`, a number a class. The softmax makes probabilities of the logits `z`, and
# cross-entropy with the true class `y` has a very simple slope: `dL/dz = p - y`, the probability minus 1 for the true class,
# minus 0 for the others. Without a ReLU `z = a`, and every class of every pixel is pulled. With one, `z = max(a, 0)`,
# and where `a` is below zero the slope is zero, whatever the truth:
logits = np.array([[0.5, 1.0], [-0.5, 1.0], [0.5, -1.0], [-0.5, -1.0]])
truth = np.array([1.0, 0.0])  # the first class is the true one


def slope(a, y, relu):
    z = np.maximum(a, 0) if relu else a
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    return (p - y) * ((a > 0) if relu else 1.0)


for a, plain, cut in zip(logits, slope(logits, truth, False), slope(logits, truth, True), strict=True):
    print(f"last layer {a}   slope without ReLU {plain.round(2)}   with {cut.round(2) + 0.0}")

# %%
# In the second line the true class says -0.5 and nothing pulls it up. In the last line nothing is pulled at all: the
# pixel teaches nothing.
#
# ## A rare class goes first
#
# What does a network learn first? Not where the membranes are: how *many* pixels are membrane. That needs no features,
# only the two biases. If 22 % of the pixels are membrane, both classes begin at a probability of one half, and the mean
# slope pulls the membrane's logit down *everywhere* by 0.5 - 0.22, long before the features can tell membrane from
# interior. Without a ReLU it sinks below zero, where it should be, and the features do the rest. With one it sinks to
# zero and is cut off.
#
# Two thousand pixels, one feature (how bright a pixel is; membranes are darker), a linear layer with two outputs,
# gradient descent:
rng = np.random.default_rng(0)
interior = (rng.random(2000) > 0.22).astype(int)
bright = np.where(interior == 1, 0.62, 0.40) + rng.normal(0, 0.10, 2000)


def train(relu, steps=4000, rate=0.5):
    weights, biases = np.array([0.02, 0.05]), np.array([0.1, 0.1])
    losses, alive, found = [], [], []
    for _ in range(steps):
        a = bright[:, None] * weights + biases
        z = np.maximum(a, 0) if relu else a
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        losses.append(-np.log(p[np.arange(2000), interior]).mean())
        alive.append((a[:, 0] > 0).mean())
        found.append(p[:, 0].max())
        steep = (p - np.eye(2)[interior]) / 2000 * ((a > 0) if relu else 1.0)
        weights, biases = weights - rate * (bright[:, None] * steep).sum(0), biases - rate * steep.sum(0)
    return losses, alive, found


runs = {"without ReLU": train(False), "ReLU on the logits": train(True)}
for name, (losses, _, found) in runs.items():
    print(f"{name:<20} loss {losses[0]:.3f} -> {losses[-1]:.3f}; greatest probability of membrane {found[-1]:.2f}")
alive = runs["ReLU on the logits"][1]
print("pixels in which the membrane's logit still has a slope:", ", ".join(f"{alive[k]:.0%} after {k} steps" for k in (0, 2, 4, 4000 - 1)))

# %%
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
for name, (losses, _, _) in runs.items():
    axis.plot(losses, label=name)
axis.set(xlabel="step", ylabel="loss", xscale="log")
axis.legend()
plt.show()

# %%
# After a few steps the membrane has no slope in any pixel, and its two numbers never change again. Only the interior's
# logit still learns, and it cannot say "membrane": it can go down to zero, where both classes have one half. So the
# greatest probability of membrane is exactly 0.5, however clear the picture.
#
# ## A real network
#
# tf_unet as it is published (three levels from 8 channels, its own first weights, dropout), on sixteen sections of
# neuron membranes, Adam with a rate of 0.0001, batches of sixteen: `studies/relu_on_logits` has the script and all
# numbers. The same windows and the same first weights, once with the ReLU on the logits and once without.
#
# | step | ReLU: membrane without a slope | ReLU: loss | without: loss |
# |---|---|---|---|
# | 200 | 0 | 0.672 | 0.611 |
# | 400 | every pixel | 0.657 | 0.399 |
# | 800 | every pixel | 0.419 | 0.352 |
# | 1,200 | 73 % | 0.369 | 0.325 |
# | 4,000 | 56 % | 0.315 | 0.289 |
#
# From step 400 to 800 it is the problem above: the membrane's logit is cut off in every membrane pixel, and the loss
# lags behind. Then it parts from the toy. The layers below go on learning through the other class, and their features
# lift the logit above zero here and there, where it is pulled again. To the end more than half of the membrane is left
# without a pull. A larger rate gets over it sooner, and with other first weights it is nearly over after some hundred
# steps: a fault that comes and goes with the seed is the harder to find.
#
# ## What to look for
#
# - A loss that falls to the value of the class shares (here `-0.22 log 0.22 - 0.78 log 0.78` = 0.53) and rests there: the network knows how
#   common the classes are and nothing else.
# - A class whose probability is never above one half.
# - Logits whose least value is exactly zero.
#
# The remedy is to leave the last layer alone. In Microtome every network gives plain logits; `tf_unet` has the setting
# `relu_on_logits`, true as published, to see what it does.
