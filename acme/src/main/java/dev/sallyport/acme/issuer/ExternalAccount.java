package dev.sallyport.acme.issuer;

import dev.sallyport.model.certificate.SensitiveBytes;

/**
 * What a CA gave to its customers to bind an ACME account to (RFC 8555 section 7.3.4).
 *
 * @param keyId the CA's name for the key; not empty
 * @param macKey the key, decoded
 */
public record ExternalAccount(String keyId, SensitiveBytes macKey) {}
