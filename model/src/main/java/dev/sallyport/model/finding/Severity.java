package dev.sallyport.model.finding;

/** How much a finding matters to the object it is about. */
public enum Severity {
    /** The object, or the named part of it, is not in service. */
    ERROR,
    /** In service, but not as its author will want it, or not for long. */
    WARNING,
    /** Worth knowing; nothing is wrong. */
    INFO
}
