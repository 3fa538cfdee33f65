package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.ProxySettings;
import java.time.Duration;

/** Settings that differ from the defaults in what a test is about. */
final class TestSettings {
    private ProxySettings.Limits limits = ProxySettings.Limits.DEFAULT;
    private int writeBuffer = limits.writeBuffer();
    private ProxySettings.Timeouts timeouts = ProxySettings.Timeouts.DEFAULT;

    static TestSettings defaults() {
        return new TestSettings();
    }

    ProxySettings settings() {
        ProxySettings all = ProxySettings.DEFAULT;
        return new ProxySettings(
                all.transport(),
                all.eventLoops(),
                limits,
                timeouts,
                all.forwarding(),
                all.hsts(),
                all.accessLog(),
                all.escapedSlashes());
    }

    TestSettings requestsPerConnection(long requests) {
        return limits(
                requests,
                limits.concurrentStreams(),
                limits.streamWindow(),
                limits.controlFramesPerHalfMinute());
    }

    TestSettings concurrentStreams(int streams) {
        return limits(
                limits.requestsPerConnection(),
                streams,
                limits.streamWindow(),
                limits.controlFramesPerHalfMinute());
    }

    TestSettings streamWindow(int bytes) {
        return limits(
                limits.requestsPerConnection(),
                limits.concurrentStreams(),
                bytes,
                limits.controlFramesPerHalfMinute());
    }

    TestSettings controlFrames(int perHalfMinute) {
        return limits(
                limits.requestsPerConnection(),
                limits.concurrentStreams(),
                limits.streamWindow(),
                perHalfMinute);
    }

    TestSettings writeBuffer(int bytes) {
        writeBuffer = bytes;
        return streamWindow(limits.streamWindow());
    }

    TestSettings header(Duration timeout) {
        return timeouts(timeout, timeouts.keepAlive(), timeouts.stalledWrite());
    }

    TestSettings keepAlive(Duration timeout) {
        return timeouts(timeouts.header(), timeout, timeouts.stalledWrite());
    }

    TestSettings stalledWrite(Duration timeout) {
        return timeouts(timeouts.header(), timeouts.keepAlive(), timeout);
    }

    private TestSettings limits(
            long requestsPerConnection,
            int concurrentStreams,
            int streamWindow,
            int controlFrames) {
        ProxySettings.Limits all = limits;
        limits =
                new ProxySettings.Limits(
                        all.connections(),
                        all.connectionsPerClient(),
                        all.requestsInFlight(),
                        all.headerBytes(),
                        all.headerCount(),
                        all.uriBytes(),
                        all.requestBodyBytes(),
                        requestsPerConnection,
                        concurrentStreams,
                        streamWindow,
                        all.connectionWindow(),
                        all.resetsPerHalfMinute(),
                        controlFrames,
                        writeBuffer,
                        all.upstreamConnections(),
                        all.upstreamIdle(),
                        all.upstreamPending());
        return this;
    }

    private TestSettings timeouts(Duration header, Duration keepAlive, Duration stalledWrite) {
        ProxySettings.Timeouts all = timeouts;
        timeouts =
                new ProxySettings.Timeouts(
                        all.handshake(),
                        header,
                        all.bodyIdle(),
                        all.request(),
                        keepAlive,
                        stalledWrite,
                        all.tunnelIdle(),
                        all.upstreamConnect(),
                        all.upstreamResponse(),
                        all.upstreamIdle(),
                        all.drainDelay(),
                        all.drain());
        return this;
    }
}
