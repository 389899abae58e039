"""The two Apache-2.0 networks that find faces and their landmarks."""

from __future__ import annotations

from recipes.wheels import Networks

NETWORKS = Networks(
    "mediapipe==0.10.21",
    {
        "mediapipe/modules/face_detection/face_detection_short_range.tflite": (
            "face_detection_short_range.tflite",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        ),
        "mediapipe/modules/face_landmark/face_landmark.tflite": (
            "face_landmark.tflite",
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        ),
    },
    ("mediapipe-0.10.21.dist-info/LICENSE", "LICENSE.mediapipe"),
)
