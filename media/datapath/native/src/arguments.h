// Arguments of calls from JavaScript, and return values.
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>

#include <array>
#include <string>

#include "bytes.h"

namespace rushlight {

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = values_.size();
    napi_get_cb_info(env, info, &count, values_.data(), &self_, nullptr);
    count_ = count;
  }

  napi_value self() const { return self_; }
  napi_value value(size_t at) const { return at < count_ ? values_[at] : nullptr; }

  double number(size_t at) const {
    double value = 0;
    if (at < count_) napi_get_value_double(env_, values_[at], &value);
    return value;
  }

  uint32_t unsignedNumber(size_t at) const {
    const double value = number(at);
    return value > 0 && value <= 4294967295.0 ? static_cast<uint32_t>(value) : 0;
  }

  bool truth(size_t at) const {
    bool value = false;
    if (at < count_) napi_get_value_bool(env_, values_[at], &value);
    return value;
  }

  std::string text(size_t at) const {
    size_t length = 0;
    if (at >= count_ || napi_get_value_string_utf8(env_, values_[at], nullptr, 0, &length) != napi_ok) return {};
    std::string text(length, '\0');
    napi_get_value_string_utf8(env_, values_[at], text.data(), length + 1, &length);
    return text;
  }

  // View of a Buffer; valid until the call returns.
  View bytes(size_t at) const {
    void* data = nullptr;
    size_t length = 0;
    if (at >= count_ || napi_get_buffer_info(env_, values_[at], &data, &length) != napi_ok) return {};
    return {static_cast<const uint8_t*>(data), length};
  }

 private:
  napi_env env_;
  napi_value self_ = nullptr;
  size_t count_ = 0;
  std::array<napi_value, 16> values_{};
};

inline napi_value numberValue(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

inline napi_value boolValue(napi_env env, bool truth) {
  napi_value value = nullptr;
  napi_get_boolean(env, truth, &value);
  return value;
}

inline napi_value textValue(napi_env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

inline napi_value bufferValue(napi_env env, View bytes) {
  napi_value value = nullptr;
  void* data = nullptr;
  napi_create_buffer_copy(env, bytes.size(), bytes.data(), &data, &value);
  return value;
}

}  // namespace rushlight
