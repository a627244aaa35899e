//! Structs field by field: one line a field, for both directions.

/// Writes the conversions of a struct. Each line is the kind of the field, its path in the plain struct, and its getter
/// and setter on the wire (further names where the kind needs them).
macro_rules! structs {
    ($($plain:ty = $($module:ident)::+ {
        $($kind:ident $($field:ident).+ : $($name:ident)+;)*
    })*) => {$(
        impl ToWire<$($module)::+::Builder<'_>> for $plain {
            #[allow(unused_mut, reason = "not every kind of field needs it")]
            fn to_wire(&self, mut out: $($module)::+::Builder<'_>) {
                $(fields::put!($kind, &self.$($field).+, out, $($name)+);)*
            }
        }
        impl FromWire<$($module)::+::Reader<'_>> for $plain {
            fn from_wire(from: $($module)::+::Reader<'_>) -> capnp::Result<Self> {
                let mut out = <$plain>::default();
                $(out.$($field).+ = fields::take!($kind, from, $($name)+);)*
                Ok(out)
            }
        }
    )*};
}

/// One field onto the wire.
macro_rules! put {
    (number, $field:expr, $out:ident, $get:ident $set:ident) => {
        $out.$set(*$field)
    };
    (scalar, $field:expr, $out:ident, $get:ident $set:ident) => {
        $out.$set($field.to_scalar())
    };
    (text, $field:expr, $out:ident, $get:ident $set:ident) => {
        $out.$set($field)
    };
    (data, $field:expr, $out:ident, $get:ident $set:ident) => {
        $out.$set(&$field.to_data())
    };
    (list, $field:expr, $out:ident, $get:ident $init:ident) => {
        $field[..].to_wire($out.reborrow().$init(count($field.len())))
    };
    (structs, $field:expr, $out:ident, $get:ident $init:ident) => {
        put_structs($out.reborrow().$init(count($field.len())), $field)
    };
    (inner, $field:expr, $out:ident, $get:ident $init:ident) => {
        $field.to_wire($out.reborrow().$init())
    };
    (maybe, $field:expr, $out:ident, $get:ident $init:ident $has:ident) => {
        if let Some(value) = $field {
            value.to_wire($out.reborrow().$init());
        }
    };
    (maybe_data, $field:expr, $out:ident, $get:ident $set:ident $has:ident) => {
        if let Some(value) = $field {
            $out.$set(&value.to_data());
        }
    };
    (flagged_structs, $field:expr, $out:ident, $get:ident $init:ident $get_has:ident $set_has:ident) => {
        if let Some(items) = $field {
            put_structs($out.reborrow().$init(count(items.len())), items);
            $out.$set_has(true);
        }
    };
    (flagged, $field:expr, $out:ident, $get:ident $set:ident $get_has:ident $set_has:ident) => {
        if let Some(value) = $field {
            $out.$set(*value);
            $out.$set_has(true);
        }
    };
}

/// One field from the wire.
macro_rules! take {
    (number, $from:ident, $get:ident $set:ident) => {
        $from.$get()
    };
    (scalar, $from:ident, $get:ident $set:ident) => {
        FromWire::from_wire($from.$get())?
    };
    (text, $from:ident, $get:ident $set:ident) => {
        read($from.$get())?
    };
    (data, $from:ident, $get:ident $set:ident) => {
        read($from.$get())?
    };
    (list, $from:ident, $get:ident $init:ident) => {
        read($from.$get())?
    };
    (structs, $from:ident, $get:ident $init:ident) => {
        read($from.$get())?
    };
    (inner, $from:ident, $get:ident $init:ident) => {
        read($from.$get())?
    };
    (maybe, $from:ident, $get:ident $init:ident $has:ident) => {
        optional($from.$has(), $from.$get())?
    };
    (maybe_data, $from:ident, $get:ident $set:ident $has:ident) => {
        optional($from.$has(), $from.$get())?
    };
    (flagged_structs, $from:ident, $get:ident $init:ident $get_has:ident $set_has:ident) => {
        $from.$get_has().then(|| read($from.$get())).transpose()?
    };
    (flagged, $from:ident, $get:ident $set:ident $get_has:ident $set_has:ident) => {
        $from.$get_has().then(|| $from.$get())
    };
}

pub(super) use {put, structs, take};
