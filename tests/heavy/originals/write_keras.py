"""Writes Keras originals into a folder: `python write_keras.py DIR`, where TensorFlow is."""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

folder = Path(sys.argv[1])
keras.utils.set_random_seed(3)

image = keras.Input((None, None, 3), name="image")
more = keras.Input((5,), name="more")
x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
x = layers.Concatenate()([x, layers.Dense(4)(more)])
classes = layers.Dense(3, activation="softmax", name="classes")(x)
model = keras.Model([image, more], [classes, layers.Dense(2, name="box")(x)])
model.save(folder / "two.keras")
images = np.random.default_rng(4).standard_normal((2, 20, 24, 3)).astype(np.float32)
numbers = np.ones((2, 5), np.float32)
answers = model([images, numbers], training=False)
np.savez(folder / "right.npz", image=images, more=numbers, classes=answers[0], box=answers[1])

code = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2)])
code.save(folder / "code.keras")

shapes = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        layers.ZeroPadding2D(((0, 1), (0, 1))),
        layers.Conv2D(8, 3, strides=2, activation="relu"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
    ]
)
shapes.save(folder / "shapes.keras")
