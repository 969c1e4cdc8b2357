/// The little of OpenCV that framelane/opencv.hpp uses, to compile and test it without OpenCV.
#pragma once

#include <cstddef>
#include <cstdint>

#define CV_8UC1 0
#define CV_8UC2 8
#define CV_8UC3 16
#define CV_ELEM_SIZE(type) (static_cast<std::size_t>(type) / 8 + 1)

namespace cv {

class Mat {
 public:
  Mat(int rows_, int cols_, int type_, void* data_, std::size_t step_)
      : rows(rows_),
        cols(cols_),
        data(static_cast<std::uint8_t*>(data_)),
        step(step_),
        kind(type_) {}
  int type() const { return kind; }

  int rows;
  int cols;
  std::uint8_t* data;
  std::size_t step;

 private:
  int kind;
};

}  // namespace cv
