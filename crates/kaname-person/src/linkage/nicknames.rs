//! Short forms of given names that are not their beginning.

/// The name that `short` is a short form of, in plain Latin letters.
pub(crate) fn long_form(short: &str) -> Option<&'static str> {
    let place = SHORT_FORMS.binary_search_by(|(known, _)| (*known).cmp(short)).ok()?;
    Some(SHORT_FORMS[place].1)
}

/// In alphabetical order.
#[rustfmt::skip]
const SHORT_FORMS: &[(&str, &str)] = &[
    ("abby", "abigail"), ("abdo", "abdullah"), ("alec", "alexander"), ("aleks", "alexander"), ("alf", "alfred"),
    ("andy", "andrew"), ("angie", "angela"), ("annie", "anne"), ("art", "arthur"), ("barb", "barbara"),
    ("becky", "rebecca"), ("bella", "isabella"), ("bernie", "bernard"), ("bert", "albert"), ("beth", "elizabeth"),
    ("betty", "elizabeth"), ("bill", "william"), ("billy", "william"), ("bob", "robert"), ("bobby", "robert"),
    ("bunty", "balwant"), ("cathy", "catherine"), ("charlie", "charles"), ("chuck", "charles"), ("dan", "daniel"),
    ("danny", "daniel"), ("dave", "david"), ("debbie", "deborah"), ("dick", "richard"), ("dolly", "dorothy"),
    ("don", "donald"), ("dot", "dorothy"), ("ed", "edward"), ("eddie", "edward"), ("eliza", "elizabeth"),
    ("ellie", "eleanor"), ("frank", "francis"), ("fred", "frederick"), ("gabe", "gabriel"), ("gerry", "gerald"),
    ("greg", "gregory"), ("guddu", "gurdeep"), ("gus", "augustus"), ("hal", "henry"), ("hank", "henry"),
    ("harry", "henry"), ("jack", "john"), ("jake", "jacob"), ("jenny", "jennifer"), ("jerry", "gerald"),
    ("jess", "jessica"), ("jim", "james"), ("jimmy", "james"), ("joe", "joseph"), ("johnny", "john"),
    ("josh", "joshua"), ("kate", "catherine"), ("kathy", "catherine"), ("katie", "catherine"), ("ken", "kenneth"),
    ("larry", "lawrence"), ("lenny", "leonard"), ("liz", "elizabeth"), ("lizzie", "elizabeth"),
    ("maggie", "margaret"), ("mandy", "amanda"), ("matt", "matthew"), ("md", "mohammed"), ("meg", "margaret"), ("mick", "michael"),
    ("mike", "michael"), ("millie", "mildred"), ("moe", "mohammed"), ("mohd", "mohammed"), ("molly", "mary"), ("nancy", "anne"),
    ("ned", "edward"), ("nell", "eleanor"), ("nick", "nicholas"), ("pat", "patrick"), ("peggy", "margaret"),
    ("penny", "penelope"), ("pete", "peter"), ("phil", "philip"), ("polly", "mary"), ("raju", "rajesh"),
    ("rick", "richard"), ("rob", "robert"), ("ron", "ronald"), ("rose", "rosemary"), ("sadie", "sarah"),
    ("sally", "sarah"), ("sam", "samuel"), ("sandy", "alexander"), ("sasha", "alexander"), ("steve", "steven"),
    ("sue", "susan"), ("susie", "susan"), ("tania", "tatiana"), ("ted", "edward"), ("terry", "terence"),
    ("tina", "christina"), ("toby", "tobias"), ("tom", "thomas"), ("tommy", "thomas"), ("tony", "anthony"),
    ("vicky", "victoria"), ("wendy", "gwendolyn"), ("will", "william"), ("zach", "zachary"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_in_order() {
        assert!(SHORT_FORMS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(long_form("peggy"), Some("margaret"));
        assert_eq!(long_form("margaret"), None);
    }
}
