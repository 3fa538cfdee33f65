package dev.sallyport.acme.plan;

import java.time.Instant;

/**
 * An order that came to nothing.
 *
 * @param at when it was given up
 * @param issuer the name of the configured issuer
 * @param order what had been ordered: what failed for other names says nothing about these
 * @param cause why
 */
public record Failure(Instant at, String issuer, CertificateOrder order, Cause cause) {}
