package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type metrics struct {
	registry    *prometheus.Registry
	viewers     *prometheus.GaugeVec
	units       prometheus.Counter
	refused     prometheus.Counter
	lapped      prometheus.Counter
	keyRequests prometheus.Counter
	dropped     *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	latency     *prometheus.HistogramVec
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	make := promauto.With(registry)
	counter := func(name, help string) prometheus.Counter {
		return make.NewCounter(prometheus.CounterOpts{Name: "framelane_server_" + name, Help: help})
	}
	kind := []string{"kind"}
	vector := func(name, help string) *prometheus.CounterVec {
		return make.NewCounterVec(
			prometheus.CounterOpts{Name: "framelane_server_" + name, Help: help}, kind)
	}
	return &metrics{
		registry: registry,
		viewers: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "framelane_server_viewers", Help: "Viewers now, by how they watch."}, kind),
		units:       counter("units_total", "Pictures read from the stream."),
		refused:     counter("records_refused_total", "Records that were no picture to send."),
		lapped:      counter("records_lapped_total", "Records overwritten before they were read."),
		keyRequests: counter("key_requests_total", "Key frames asked of the encoder."),
		dropped:     vector("viewer_units_dropped_total", "Pictures that viewers were too slow for."),
		bytes:       vector("sent_bytes_total", "Bytes of video sent."),
		latency: make.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "framelane_server_latency_seconds",
			Help:    "From the record's publication until it was handed to the network.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 14),
		}, kind),
	}
}

func (m *metrics) sent(kind string, bytes int, unit *unit) {
	m.bytes.WithLabelValues(kind).Add(float64(bytes))
	m.latency.WithLabelValues(kind).Observe(unit.age().Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
